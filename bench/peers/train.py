"""The same training step of a decoder on cached features in PyTorch: five captions an image, clipping, AdamW.

transformers' BLIP decoder takes one row of image tokens a caption; here the keys and values of an image are
repeated for its captions by expanding the tokens, as its users do.
"""
import json, resource, statistics, sys, time
import torch
from transformers import BlipTextConfig
from transformers.models.blip.modeling_blip_text import BlipTextLMHeadModel

threads = int(sys.argv[1])
torch.set_num_threads(threads)
torch.manual_seed(1)
config = BlipTextConfig(
    vocab_size=6000, hidden_size=384, encoder_hidden_size=1280, intermediate_size=1536, num_hidden_layers=4,
    num_attention_heads=8, max_position_embeddings=64, bos_token_id=1, sep_token_id=2, is_decoder=True,
    hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1, label_smoothing=0.1)
model = BlipTextLMHeadModel(config)
model.label_smoothing = 0.1
model.train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.05)
images, captions, length = 32, 5, 15
tokens = torch.rand(images, 49, 1280).half()
words = torch.randint(0, 6000, (images * captions, length))
labels = words
seconds = []
for _ in range(9):
    start = time.perf_counter()
    image_tokens = tokens.float().repeat_interleave(captions, dim=0)
    loss = model(input_ids=words, encoder_hidden_states=image_tokens, labels=labels, reduction="mean").loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": statistics.median(seconds[1:]),
                  "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
