// Calls that could not be read: a gap reports the first, and another the end of reading after several in a row.

import { gap, report, wordsOf } from "./emit.js";

const IN_A_ROW = 5;

/** Failures to read the calls that are filed under one subject. */
export class Failures {
  private count = 0;

  constructor(private readonly subject: string) {}

  /** Whether to read no more calls. */
  get tooMany(): boolean {
    return this.count >= IN_A_ROW;
  }

  /** Read a call, unless that has failed too often. */
  safely(work: () => void): void {
    if (this.tooMany) {
      return;
    }
    try {
      work();
      this.count = 0;
    } catch (error) {
      this.count += 1;
      this.tell(wordsOf(error));
    }
  }

  private tell(what: string): void {
    try {
      if (this.tooMany) {
        gap(this.subject, "hook_error", `switched off after ${IN_A_ROW} calls in a row that could not be read: ${what}`);
      } else if (this.count === 1) {
        gap(this.subject, "hook_error", `a call could not be read: ${what}`);
      }
    } catch (error) {
      report(error, this.subject); // the app waits for its call
    }
  }
}
