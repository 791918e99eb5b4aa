"""Writes test/fixtures/blip/adapters: LoRA adapters that PEFT trains on the tiny model, and what the merged models do.

python scripts/make-adapter-references.py test/fixtures/blip/tiny test/fixtures/blip/adapters
"""
import json
import os
import sys

import peft
import torch
import transformers
from safetensors.torch import load_file

folder, target = sys.argv[1], sys.argv[2]
pixels = load_file(f"{folder}/expected.safetensors")["all_pixel_values"]
tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
attention = ["query", "value"]
adapters = {
    "plain": {"r": 4, "lora_alpha": 8, "target_modules": attention},
    "all-linear-rslora": {"r": 2, "lora_alpha": 3, "use_rslora": True, "target_modules": "all-linear"},
    "bias-lora-only": {
        "r": 3, "lora_alpha": 6, "bias": "lora_only",
        "target_modules": r"vision_model\.encoder.*\.(qkv|projection)|text_decoder.*intermediate\.dense",
    },
    "bias-all": {"r": 1, "bias": "all", "target_modules": ["crossattention.self.key"]},
    "modules-to-save": {
        "r": 2, "target_modules": attention, "modules_to_save": ["transform", "vision_model.post_layernorm"],
    },
    "patterns-and-convolution": {
        "r": 4, "lora_alpha": 4, "target_modules": ["query", "value", "patch_embedding"],
        "rank_pattern": {"layer.0.attention.self.query": 2, "patch_embedding": 6, "crossattention.self.value": 1},
        "alpha_pattern": {"layer.1.attention.self.value": 12, "patch_embedding": 3},
    },
}


def load():
    return transformers.BlipForConditionalGeneration.from_pretrained(folder).eval()


def train(model, seed):
    """A few large steps from matrices of noise, so that every part of the adapter counts."""
    torch.manual_seed(seed)
    parameters = [p for p in model.parameters() if p.requires_grad]
    with torch.no_grad():
        for parameter in parameters:
            parameter += 0.1 * torch.randn_like(parameter)
    optimizer = torch.optim.AdamW(parameters, lr=5e-3)
    text = tokenizer(["a small dog", "an owl"] * 2, return_tensors="pt", padding=True)
    for _ in range(5):
        loss = model(pixel_values=pixels[:4], labels=text.input_ids, **text).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def results(model):
    runs = {}
    for name, options in {"greedy": {"num_beams": 1}, "beams": {"num_beams": 3, "max_length": 12}}.items():
        with torch.inference_mode():
            output = model.generate(
                pixel_values=pixels, **options, return_dict_in_generate=True, output_scores=True
            )
        runs[name] = {"options": options, "ids": output.sequences.tolist()}
        if getattr(output, "sequences_scores", None) is not None:
            runs[name]["sequences_scores"] = output.sequences_scores.tolist()
    return runs


base = {name: value.clone() for name, value in load().state_dict().items()}
expected = {}
for seed, (name, options) in enumerate(adapters.items()):
    adapted = peft.get_peft_model(load(), peft.LoraConfig(**options))
    train(adapted, seed)
    adapted.eval()
    path = os.path.join(target, name)
    adapted.save_pretrained(path)
    os.remove(os.path.join(path, "README.md"))
    with open(os.path.join(path, "adapter_config.json")) as file:
        config = json.load(file)
    config["base_model_name_or_path"] = os.path.relpath(folder, path)
    with open(os.path.join(path, "adapter_config.json"), "w") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
    with torch.inference_mode():
        before = adapted(pixel_values=pixels, input_ids=torch.tensor([[180, 20, 30]] * len(pixels))).logits
        merged = peft.PeftModel.from_pretrained(load(), path).merge_and_unload().eval()
        after = merged(pixel_values=pixels, input_ids=torch.tensor([[180, 20, 30]] * len(pixels))).logits
    print(name, "merged and not merged differ by", (before - after).abs().max().item())
    # Of each tensor that is changed: the sum, and the sum of squares.
    sums = {
        key: [value.double().sum().item(), value.double().square().sum().item()]
        for key, value in merged.state_dict().items()
        if not torch.equal(value, base[key])
    }
    expected[name] = {"sums": sums, "generate": results(merged)}
versions = {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
with open(os.path.join(target, "expected.json"), "w") as file:
    json.dump({"versions": versions, "adapters": expected}, file, separators=(",", ":"))
    file.write("\n")
