"""transformers' BLIP on tasks read from the standard input, one JSON object a line."""
import json
import resource
import sys
import time

import torch
import transformers

folder, threads = sys.argv[1], int(sys.argv[2])
if threads:
    torch.set_num_threads(threads)
model = transformers.BlipForConditionalGeneration.from_pretrained(folder).eval()
side = model.config.vision_config.image_size
print(
    f"transformers {transformers.__version__}, torch {torch.__version__}, "
    f"{torch.get_num_threads()} threads",
    flush=True,
)

for line in sys.stdin:
    task = json.loads(line)
    pixels = torch.randn(task["batch"], 3, side, side, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        start = time.perf_counter()
        if task["what"] == "vision":
            model.vision_model(pixels)
        else:
            model.generate(
                pixel_values=pixels, num_beams=task["beams"], min_length=20, max_length=20
            )
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak": peak}), flush=True)
