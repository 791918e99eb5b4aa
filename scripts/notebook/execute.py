"""Runs code cells in a Jupyter kernel, for build-notebook.ts.

Reads {"kernel", "folder", "cells": [source]} from standard input; prints a list with the outputs of each cell. Deno's kernel
may send a cell's result after it has said that it is idle, which nbclient drops; here it is waited for.
"""
import json
import queue
import sys
import time

from jupyter_client.manager import start_new_kernel

# Seconds without a message after which a cell that is done sends no more.
QUIET = 1.5


def run_cell(manager, client, source):
    """The outputs of one cell, what it printed first."""
    message_id = client.execute(source, stop_on_error=True)
    printed, shown = {}, []
    done, last = False, time.monotonic()
    while not done or time.monotonic() - last < QUIET:
        try:
            message = client.get_iopub_msg(timeout=0.5)
        except queue.Empty:
            if not manager.is_alive():
                raise SystemExit("the kernel ended while a cell ran.")
            continue
        if message["parent_header"].get("msg_id") != message_id:
            continue
        last = time.monotonic()
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] == "idle":
            done = True
        elif kind == "stream":
            printed[content["name"]] = printed.get(content["name"], "") + content["text"]
        elif kind in ("execute_result", "display_data"):
            shown.append({"output_type": kind, "data": content["data"]})
        elif kind == "error":
            raise SystemExit(f"{source}\n\n{content['ename']}: {content['evalue']}")
    streams = [{"output_type": "stream", "name": name, "text": text} for name, text in printed.items()]
    return streams + shown


def main():
    task = json.load(sys.stdin)
    manager, client = start_new_kernel(kernel_name=task["kernel"], cwd=task["folder"])
    try:
        outputs = [run_cell(manager, client, source) for source in task["cells"]]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    json.dump(outputs, sys.stdout)


main()
