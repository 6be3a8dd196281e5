// Ends, when the agent leaves the app, whatever would otherwise keep running.

const ends: (() => void)[] = [];
let left = false;

/** Have `end` called when we leave the app. */
export function whenLeft(end: () => void): void {
  ends.push(end);
}

/** Call `onAdded` for each library, present or loaded later, until we leave. */
export function eachModule(onAdded: (module: Module) => void): void {
  const observer = Process.attachModuleObserver({ onAdded });
  whenLeft(() => {
    observer.detach();
  });
}

export function hasLeft(): boolean {
  return left;
}

/** End all of it, for good. */
export function leaveAlone(): void {
  left = true;
  for (const end of ends.splice(0)) {
    end();
  }
}
