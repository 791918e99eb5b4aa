"""transformers' BLIP on tasks read from the standard input, one JSON object a line, in f32 or under bf16 autocast."""
import contextlib
import json
import resource
import sys
import time

folder, threads = sys.argv[1], int(sys.argv[2])
try:
    import torch
    import transformers
except ImportError as error:
    print(json.dumps({"missing": f"transformers is left out: {error}"}), flush=True)
    sys.exit()

if threads:
    torch.set_num_threads(threads)
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
model = transformers.BlipForConditionalGeneration.from_pretrained(folder).eval()
side = model.config.vision_config.image_size
name = (
    f"transformers {transformers.__version__}, torch {torch.__version__}, "
    f"{torch.get_num_threads()} threads"
)
print(json.dumps({"name": name, "short": "transformers", "kinds": ["f32", "bf16"]}), flush=True)

for line in sys.stdin:
    task = json.loads(line)
    if task["what"] == "encode":
        print(json.dumps({}), flush=True)
        continue
    pixels = torch.randn(task["batch"], 3, side, side, generator=torch.Generator().manual_seed(2))
    narrow = task["kind"] == "bf16"
    cast = torch.autocast("cpu", dtype=torch.bfloat16) if narrow else contextlib.nullcontext()
    with torch.inference_mode(), cast:
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
