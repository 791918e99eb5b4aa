"""The same training step in PyTorch: BLIP-base in f32 or under bf16 autocast, forward, backward, clipping, AdamW.

Each step waits for a line on the standard input, and is answered by one with its seconds; then follow the medians.
"""
import json, resource, statistics, sys, time
import torch
from transformers import BlipConfig, BlipForConditionalGeneration

batch, steps, threads = map(int, sys.argv[1:4])
bf16 = sys.argv[4] == "bf16"
torch.set_num_threads(threads)
torch.manual_seed(7)
started = time.perf_counter()
config = BlipConfig(text_config={"num_attention_heads": 12, "vocab_size": 30524, "bos_token_id": 30522},
                    vision_config={"image_size": 384})
model = BlipForConditionalGeneration(config)
model.text_decoder.label_smoothing = 0.1
model.train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.05)
opened = time.perf_counter() - started
pixels = torch.randn(batch, 3, 384, 384)
words = torch.randint(0, 30522, (batch, 24))
seconds, graph = [], []
for _ in range(steps + 1):
    sys.stdin.readline()
    start = time.perf_counter()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        loss = model(pixel_values=pixels, input_ids=words, labels=words).loss
    loss.backward()
    graph.append(time.perf_counter() - start)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    seconds.append(time.perf_counter() - start)
    print(seconds[-1], flush=True)
print(json.dumps({"opened": opened, "seconds": statistics.median(seconds[1:]), "graph": statistics.median(graph[1:]),
                  "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
