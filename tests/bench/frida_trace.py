"""The yardstick of bench_hooks: Java methods wrapped as frida-trace wraps them.

frida-trace itself finds no Java methods on a plain JVM (`frida-trace -p PID -j 'bench.*!same*'`: "Started tracing
0 functions"), so what it does with one is written down here: the wrapper of its agent (thread, depth, time, handler
before and after, events sent every 50 ms) and the handler that it generates for a Java method.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import frida
import frida_tools

AGENT = """
globalThis.Java = bridge;
const started = Date.now();
const depths = new Map();
let pending = [];
let timer = null;

function flush() {
  if (timer !== null) {
    clearTimeout(timer);
    timer = null;
  }
  if (pending.length === 0) {
    return;
  }
  const events = pending;
  pending = [];
  send({ type: "events:add", events });
}

function emit(event) {
  pending.push(event);
  if (timer === null) {
    timer = setTimeout(flush, 50);
  }
}

function wrap(id, overload, name) {
  const state = {};
  const handler = {
    onEnter(log, args, state) {
      log(`${name}(${args.map(JSON.stringify).join(", ")})`);
    },
    onLeave(log, retval, state) {
    },
  };
  overload.implementation = function (...args) {
    const thread = Process.getCurrentThreadId();
    const depth = depths.get(thread) ?? 0;
    depths.set(thread, depth + 1);
    const timestamp = Date.now() - started;
    const log = (...message) => emit([id, timestamp, thread, depth, null, null, message.join(" ")]);
    handler.onEnter.call(this, log, args, state);
    const retval = overload.apply(this, args);
    const replaced = handler.onLeave.call(this, log, retval, state);
    depths.set(thread, depth);
    return replaced !== undefined ? replaced : retval;
  };
}

rpc.exports = {
  install(methods) {
    const begun = Date.now();
    return new Promise((done) => {
      Java.perform(() => {
        let id = 0;
        for (const [cls, method] of methods) {
          try {
            const found = method === "$init" ? Java.use(cls).$init : Java.use(cls)[method];
            for (const overload of found.overloads) {
              wrap(id++, overload, `${cls}.${method}`);
            }
          } catch (error) {
          }
        }
        setTimeout(() => {
          Java.perform(() => {
            Java.vm.getEnv().findClass("java/lang/Object");
            done([id, Date.now() - begun]);
          });
        }, 30);
      });
    });
  },
};
"""


def trace(argv: Sequence[str], methods: Sequence[tuple[str, str]]) -> tuple[str, int, float]:
    """Start a program that waits for a line, wrap the methods, let it go: what it printed, overloads, seconds."""
    bridge = (Path(frida_tools.__file__).parent / "bridges" / "java.js").read_text("utf-8")
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdin
        assert app.stdout
        app.stdout.readline()
        session = frida.get_local_device().attach(app.pid)
        ended = threading.Event()
        session.on("detached", lambda *_: ended.set())
        script = session.create_script(f"{bridge}\n{AGENT}", runtime="qjs")
        received: list[Any] = []
        script.on("message", lambda message, _: received.append(json.dumps(message.get("payload"))))
        begun = time.monotonic()
        script.load()
        count, _ms = script.exports_sync.install([list(method) for method in methods])
        seconds = time.monotonic() - begun
        app.stdin.write("\n")
        app.stdin.flush()
        printed = app.stdout.read()
    ended.wait(10)
    return printed, count, seconds
