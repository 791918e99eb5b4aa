"""Writes test/fixtures/blip/relevance.safetensors: relevance through the decoder's layers (Chefer et al. 2021, "Generic
Attention-model Explainability", the rules for the decoder of an encoder-decoder), by transformers and PyTorch in f64.

python scripts/make-relevance-references.py test/fixtures/blip/tiny test/fixtures/blip/explain.safetensors \\
    test/fixtures/blip/relevance.safetensors

relevance [images, words, image tokens]: of word p the row of position p, by the gradients of its log-probability. The
image tokens' own relevance is the identity; a row to which nothing came stays as it is (there the authors' code divides
zero by zero).
"""
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file

folder, source, target = sys.argv[1:4]
values = load_file(source)
ids = values["ids"].long()
model = transformers.BlipForConditionalGeneration.from_pretrained(folder, attn_implementation="eager").double().eval()
with torch.no_grad():
    tokens = model.vision_model(values["pixel_values"].double()).last_hidden_state


def spread(relevance):
    """Equations 8 and 9: what came to the identity, as shares of 1 a row."""
    eye = torch.eye(len(relevance), dtype=relevance.dtype)
    added = relevance - eye
    sums = added.sum(-1, keepdim=True)
    return torch.where(sums > 0, added / sums, added) + eye


def mean_positive(weights, slope):
    """Equation 5."""
    return (weights * slope)[0].clamp(min=0).mean(0)


images = []
for image, caption in zip(tokens, ids):
    output = model.text_decoder(
        input_ids=caption[None, :-1],
        attention_mask=torch.ones_like(caption[None, :-1]),
        encoder_hidden_states=image[None],
        output_attentions=True,
        return_dict=True,
    )
    logprobs = output.logits[0].log_softmax(-1)
    selves, looks = output.attentions, output.cross_attentions
    rows = []
    for position, word in enumerate(caption[1:]):
        slopes = torch.autograd.grad(logprobs[position, word], [*selves, *looks], retain_graph=True)
        length = len(caption) - 1
        of_text = torch.eye(length, dtype=torch.float64)
        of_image = torch.zeros(length, len(image), dtype=torch.float64)
        for layer, (own, look) in enumerate(zip(selves, looks)):
            cam = mean_positive(own, slopes[layer])
            of_image = of_image + cam @ of_image  # equation 7
            of_text = of_text + cam @ of_text  # equation 6
            cross = mean_positive(look, slopes[len(selves) + layer])
            of_image = of_image + spread(of_text).T @ cross  # equation 10
        rows.append(of_image[position])
    images.append(torch.stack(rows))
torch.testing.assert_close(
    values["word_logprob"].double()[-1],
    logprobs[torch.arange(len(caption) - 1), caption[1:]].detach(),
    rtol=0,
    atol=1e-5,
)
versions = {"torch": torch.__version__, "transformers": transformers.__version__}
save_file({"relevance": torch.stack(images).detach().float().contiguous()}, target, metadata=versions)
