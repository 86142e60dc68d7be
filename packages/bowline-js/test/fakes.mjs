// A clock that stands still, and a WebSocket without a network.

/** Time passes only when a test says so. */
export class FakeClock {
  #now = 1_000_000;
  #timers = new Map();
  #last = 0;

  now() {
    return this.#now;
  }

  setTimeout(callback, delay) {
    this.#last += 1;
    this.#timers.set(this.#last, { callback, due: this.#now + delay });
    return this.#last;
  }

  clearTimeout(timer) {
    this.#timers.delete(timer);
  }

  /** The number of timers that run. */
  get size() {
    return this.#timers.size;
  }

  /** Lets time pass and calls what is due, in its order. */
  pass(duration) {
    const end = this.#now + duration;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.due <= end);
      const [first] = due.sort(([, one], [, other]) => one.due - other.due);
      if (!first) {
        break;
      }
      const [id, timer] = first;
      this.#timers.delete(id);
      this.#now = timer.due;
      timer.callback();
    }
    this.#now = end;
  }
}

/** Returns a class of WebSockets that remembers its instances and does what a test tells them. */
export function fakeSockets() {
  return class FakeSocket {
    static all = [];
    static get last() {
      return this.all.at(-1);
    }

    readyState = 0;
    bufferedAmount = 0;
    protocol = "";
    sent = [];
    closedWith = undefined;

    constructor(url, protocols) {
      new URL(url);
      Object.assign(this, { url, protocols });
      FakeSocket.all.push(this);
    }

    send(data) {
      this.sent.push(data);
    }

    close(code, reason) {
      this.closedWith = [code, reason];
      this.readyState = 2;
    }

    open() {
      this.readyState = 1;
      this.onopen(new Event("open"));
    }

    say(data) {
      this.onmessage(new MessageEvent("message", { data }));
    }

    end(code, reason = "") {
      this.readyState = 3;
      this.onclose({ code, reason, wasClean: code !== 1006 });
    }
  };
}
