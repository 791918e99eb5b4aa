"""Times pycocoevalcap and rouge_score on a JSON file of [{candidate, references}, ...]; prints seconds as JSON.

Usage: python metrics.py FILE METRIC, with METRIC one of tokenizer, BLEU, ROUGE-L, CIDEr, METEOR, rouge_score.
pycocoevalcap's tokenizer and METEOR need a Java runtime. The metrics get the captions as they are,
in lower case, so that each can be timed without the tokenizer.
"""
import contextlib
import json
import sys
import time


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        items = json.load(file)
    name = sys.argv[2]
    candidates = {i: [item["candidate"].lower()] for i, item in enumerate(items)}
    references = {i: [r.lower() for r in item["references"]] for i, item in enumerate(items)}
    with contextlib.redirect_stdout(sys.stderr):
        seconds = TASKS[name](candidates, references)
    print(json.dumps({"seconds": seconds}))


def timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def tokenizer(candidates, references):
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    def wrap(captions):
        return {i: [{"caption": c} for c in texts] for i, texts in captions.items()}

    def run():
        PTBTokenizer().tokenize(wrap(candidates))
        PTBTokenizer().tokenize(wrap(references))

    return timed(run)


def coco(make):
    def task(candidates, references):
        # METEOR starts its Java process when it is made, which belongs to its time.
        return timed(lambda: make().compute_score(references, candidates))

    return task


def bleu():
    from pycocoevalcap.bleu.bleu import Bleu

    return Bleu(4)


def rouge():
    from pycocoevalcap.rouge.rouge import Rouge

    return Rouge()


def cider():
    from pycocoevalcap.cider.cider import Cider

    return Cider()


def meteor():
    from pycocoevalcap.meteor.meteor import Meteor

    return Meteor()


def rouge_score(candidates, references):
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])

    def run():
        for i, texts in candidates.items():
            scorer.score_multi(references[i], texts[0])

    return timed(run)


TASKS = {
    "tokenizer": tokenizer,
    "BLEU": coco(bleu),
    "ROUGE-L": coco(rouge),
    "CIDEr": coco(cider),
    "METEOR": coco(meteor),
    "rouge_score": rouge_score,
}

if __name__ == "__main__":
    main()
