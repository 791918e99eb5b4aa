"""Writes what PySceneDetect sees of frames made by a formula, and where it cuts: test/fixtures/video/scenes.json.

pip install scenedetect opencv-python-headless; python scripts/make-scene-references.py test/fixtures/video/scenes.json
"""
import json
import sys

import cv2
import numpy as np
import scenedetect
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector, ContentDetector, ThresholdDetector
from scenedetect.scene_manager import compute_downscale_factor

sizes = [(100, 60), (300, 200), (512, 256), (640, 360), (721, 405), (360, 640)]


def frame(width, height, i):
    """The test makes the same: a pattern that moves, another scene each 20 frames, dark at the end of each second scene."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    scene = i // 20
    red = (x * (3 + scene) + y * 2 + i * 5) >> 2
    green = (x * y // 64 + scene * 70 + i) ^ (x >> 3)
    blue = (y * (5 + scene) - x + i * 3) >> 1
    rgb = np.stack([red, green, blue], axis=2) & 255
    dim = max(0, 20 - 3 * (19 - i % 20)) if scene % 2 == 1 else 0
    return (rgb * (20 - dim) // 20).astype(np.uint8)


def small(rgb):
    bgr = rgb[:, :, ::-1].copy()
    height, width = bgr.shape[:2]
    factor = compute_downscale_factor(max(width, height))
    if factor > 1:
        size = (max(1, round(width / factor)), max(1, round(height / factor)))
        bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)
    return bgr


def cuts(detector, frames):
    found = []
    for i, bgr in enumerate(frames):
        found += [cut.frame_num for cut in detector.process_frame(FrameTimecode(i, 25.0), bgr)]
    return sorted(set(found))


films = []
for width, height in sizes:
    frames = [small(frame(width, height, i)) for i in range(90)]
    meter = ContentDetector()
    changes = [float(meter._calculate_frame_score(FrameTimecode(i, 25.0), f)) for i, f in enumerate(frames)]
    films.append({
        'width': width,
        'height': height,
        'changes': changes,
        'brightness': [float(np.mean(f)) for f in frames],
        'cuts': {
            'adaptive': cuts(AdaptiveDetector(), frames),
            'content': cuts(ContentDetector(), frames),
            'content, 40 frames': cuts(ContentDetector(min_scene_len=40), frames),
            'content, 12': cuts(ContentDetector(threshold=12.0), frames),
            'fades': cuts(ThresholdDetector(threshold=40), frames),
            'white-fades': cuts(ThresholdDetector(threshold=90, method=ThresholdDetector.Method.CEILING), frames),
        },
    })
about = {'program': f'scenedetect {scenedetect.__version__}, OpenCV {cv2.__version__}', 'films': films}
with open(sys.argv[1], 'w') as out:
    json.dump(about, out)
for film in films:
    print(film['width'], film['height'], film['cuts'])
