"""Scenes of a film by PySceneDetect's AdaptiveDetector with its defaults, read by OpenCV."""
import sys
from scenedetect import AdaptiveDetector, detect

for start, end in detect(sys.argv[1], AdaptiveDetector(), start_in_scene=True):
    print(f"{start.get_timecode()}\t{end.get_timecode()}")
