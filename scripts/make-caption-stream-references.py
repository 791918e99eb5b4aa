"""Makes test/fixtures/metrics/caption_stream.json: captions whose tokens depend on the next caption, as the COCO evaluation scores them.

    python scripts/make-caption-stream-references.py > test/fixtures/metrics/caption_stream.json

Needs Java and pycocoevalcap (made with OpenJDK 17 and pycocoevalcap 1.2). The captions are drawn from words
and endings below. METEOR runs with an empty paraphrase table, and with the synthetic one of the fixtures.
"""

import gzip
import json
import os
import random
import tempfile

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.meteor import meteor
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

STARTS = "A The the a He Two Dog dog It".split() + ["<b>", "5", "", "One"]
WORDS = "dog man bus sign runs stands on at the corner street of a red".split()
ENDS = ["", ".", " B.", " 8th Ave/CTH D.", " U.S.", " Ave.", " No.", " Inc.", " St.", " T.", " p.m.", " plan C.", " U.S"]
MARKUP = ['<a b="', 'c"> dog', "<i d='x", "y'> The", "^.[^x= . a", "b <>] c", " ", "", "The", "A", "&nbsp;", "<br/>"]


def caption(draw):
    if draw.random() < 0.08:
        return draw.choice(MARKUP)
    words = [draw.choice(WORDS) for _ in range(draw.randint(2, 7))]
    return " ".join([draw.choice(STARTS), *words]).strip() + draw.choice(ENDS)


def references(draw, candidate):
    copy = candidate if draw.random() < 0.5 else caption(draw)
    return [copy, *(caption(draw) for _ in range(draw.randint(1, 3)))]


def meteor_score(table, gts, res):
    class WithTable(meteor.Meteor):
        pass

    run = meteor.subprocess.Popen
    meteor.subprocess.Popen = lambda command, **options: run([*command, "-a", table], **options)
    try:
        return WithTable().compute_score(gts, res)[0]
    finally:
        meteor.subprocess.Popen = run


draw = random.Random(17)
items = []
for number in range(300):
    candidate = caption(draw)
    items.append({"id": number, "candidate": candidate, "references": references(draw, candidate)})

tokenizer = PTBTokenizer()
gts = tokenizer.tokenize({item["id"]: [{"caption": text} for text in item["references"]] for item in items})
res = tokenizer.tokenize({item["id"]: [{"caption": item["candidate"]}] for item in items})
for item in items:
    item["ptb"] = {"candidate": res[item["id"]][0], "references": gts[item["id"]]}

bleu = Bleu(4).compute_score(gts, res, verbose=0)[0]
coco = {f"Bleu_{n + 1}": score for n, score in enumerate(bleu)}
coco["ROUGE_L"] = float(Rouge().compute_score(gts, res)[0])
coco["CIDEr"] = float(Cider().compute_score(gts, res)[0])
with tempfile.TemporaryDirectory() as folder:
    empty = os.path.join(folder, "empty.gz")
    gzip.open(empty, "wb").close()
    coco["METEOR_exact_stem_synonym"] = meteor_score(empty, gts, res)
synthetic = os.path.abspath("test/fixtures/metrics/synthetic-paraphrase-en.gz")
coco["METEOR_with_synthetic_paraphrase_table"] = meteor_score(synthetic, gts, res)

print("{")
print(' "name": "caption_stream",')
print(' "description": "scripts/make-caption-stream-references.py: pycocoevalcap 1.2, one corpus",')
print(f' "corpus": {json.dumps({"coco": coco})},')
print(' "items": [\n  ' + ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in items) + "\n ]\n}")
