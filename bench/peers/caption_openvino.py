"""
OpenVINO on tasks read from the standard input, one JSON object a line: the encoder and the decoder with its cache that
`refcap export --layout onnx` wrote, greedy, in f32 and, where the processor has it, bf16. With `first` as the fourth
argument: one caption, from models in its cache if they are there, and an end.
"""
import json
import resource
import sys
import time

folder, threads, cache = sys.argv[1], int(sys.argv[2]), sys.argv[3]
try:
    import numpy as np
    import openvino as ov
except ImportError as error:
    print(json.dumps({"missing": f"OpenVINO is left out: {error}"}), flush=True)
    sys.exit(1)

core = ov.Core()
core.set_property({"CACHE_DIR": cache})
with open("/proc/cpuinfo") as info:
    flags = info.read()
kinds = ["f32"] + (["bf16"] if "avx512_bf16" in flags or "amx_bf16" in flags else [])


def compiled(file, kind):
    settings = {
        "INFERENCE_PRECISION_HINT": kind,
        "PERFORMANCE_HINT": "LATENCY",
        **({"INFERENCE_NUM_THREADS": threads} if threads else {}),
    }
    return core.compile_model(f"{folder}/{file}.onnx", "CPU", settings)


def named(result, prefixes):
    """Values by the one of their ports' names that begins so: other names may be there after optimisation."""
    found = {}
    for port, value in result.items():
        for name in port.get_names():
            if name.startswith(prefixes):
                found[name] = value
    return found


class Captioner:
    def __init__(self, kind):
        self.encoder = compiled("encoder", kind).create_infer_request()
        decoder = compiled("decoder", kind)
        self.past = {
            name: port.get_partial_shape()
            for port in decoder.inputs
            for name in port.get_names()
            if name.startswith("past_")
        }
        self.decoder = decoder.create_infer_request()

    def encode(self, pixels):
        return self.encoder.infer({"pixel_values": pixels}, share_inputs=True, share_outputs=True)

    def caption(self, pixels):
        batch = pixels.shape[0]
        cross = named(self.encode(pixels), "cross_")
        past = {
            name: np.zeros((batch, shape[1].get_length(), 0, shape[3].get_length()), np.float32)
            for name, shape in self.past.items()
        }
        ids = np.full((batch, 1), 1, np.int64)
        written = []
        for _ in range(19):
            feeds = {"input_ids": ids, **cross, **past}
            result = self.decoder.infer(feeds, share_inputs=True, share_outputs=False)
            ids = named(result, "logits")["logits"][:, -1].argmax(-1)[:, None]
            written.append(ids)
            present = named(result, "present_")
            past = {name.replace("present_", "past_"): value for name, value in present.items()}
        return written


def random_pixels(batch):
    side = 384
    return np.random.default_rng(2).standard_normal((batch, 3, side, side), dtype=np.float32)


if len(sys.argv) > 4:
    Captioner(kinds[0]).caption(random_pixels(1))
    sys.exit()

captioners = {kind: Captioner(kind) for kind in kinds}
print(json.dumps({"name": f"OpenVINO {ov.__version__}", "short": "OpenVINO", "kinds": kinds}), flush=True)
for line in sys.stdin:
    task = json.loads(line)
    if task.get("beams", 1) > 1 or task["what"] == "vision":
        print(json.dumps({}), flush=True)
        continue
    captioner = captioners[task["kind"]]
    pixels = random_pixels(task["batch"])
    start = time.perf_counter()
    if task["what"] == "encode":
        captioner.encode(pixels)
    else:
        captioner.caption(pixels)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak": peak}), flush=True)
