"""Writes test/fixtures/blip/generation.json: what transformers generates with options beyond the fixture's own."""
import json
import sys

import torch
import transformers
from safetensors.torch import load_file

folder, target = sys.argv[1], sys.argv[2]
model = transformers.BlipForConditionalGeneration.from_pretrained(folder).eval()
tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
pixels = load_file(f"{folder}/expected.safetensors")["all_pixel_values"]
runs = {
    "defaults": {},
    "new_tokens": {"min_new_tokens": 6, "max_new_tokens": 9},
    "banned": {"bad_words_ids": [[12], [104, 145], [118, 149, 128]], "max_length": 14},
    "suppressed_beam3": {"suppress_tokens": [12, 13, 14], "begin_suppress_tokens": [118, 20, 30], "num_beams": 3},
    "never_longer": {"num_beams": 3, "early_stopping": "never", "length_penalty": 1.5, "max_length": 18},
    "never_shorter": {"num_beams": 3, "early_stopping": "never", "length_penalty": -1.0, "max_length": 18},
    "early_return3": {"num_beams": 5, "early_stopping": True, "num_return_sequences": 3, "max_length": 14},
    "all_together": {
        "num_beams": 4, "repetition_penalty": 1.5, "no_repeat_ngram_size": 3, "min_length": 6,
        "max_length": 16, "num_return_sequences": 2, "bad_words_ids": [[12]],
    },
    "beam7_return7": {"num_beams": 7, "num_return_sequences": 7, "max_length": 12},
    "prompt_bigram": {"prompt": "a small dog", "no_repeat_ngram_size": 2, "max_length": 16},
    "prompt_beam3": {"prompt": "the man and", "num_beams": 3, "min_length": 9, "repetition_penalty": 1.2},
}
results = {}
for name, options in runs.items():
    arguments = dict(options)
    prompt = arguments.pop("prompt", None)
    if prompt:
        encoded = tokenizer([prompt] * len(pixels), return_tensors="pt")
        arguments |= {"input_ids": encoded.input_ids, "attention_mask": encoded.attention_mask}
    with torch.inference_mode():
        output = model.generate(
            pixel_values=pixels, **arguments, return_dict_in_generate=True, output_scores=True
        )
    results[name] = {"options": options, "ids": output.sequences.tolist()}
    if getattr(output, "sequences_scores", None) is not None:
        results[name]["sequences_scores"] = output.sequences_scores.tolist()
versions = {"torch": torch.__version__, "transformers": transformers.__version__}
with open(target, "w") as file:
    json.dump({"versions": versions, "generate": results}, file, separators=(",", ":"))
    file.write("\n")
