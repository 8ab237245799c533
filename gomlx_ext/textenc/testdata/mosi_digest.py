"""Prints the SHA-256 of the ids of all transcripts of MOSI, a line each, for TestEveryTranscriptOfMOSI.

    python mosi_digest.py FOLDER_OF_MINILM mosi_2199.csv

Needs transformers 5.24.0.
"""

import csv
import hashlib
import sys

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
with open(sys.argv[2], encoding="utf-8", newline="") as file:
    texts = [row["text"] for row in csv.DictReader(file)]
lines = "".join(",".join(map(str, tokenizer(text, truncation=True, max_length=50)["input_ids"])) + "\n" for text in texts)
print(len(texts), hashlib.sha256(lines.encode()).hexdigest())
