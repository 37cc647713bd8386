import { useSyncExternalStore } from 'react';

/** The time of the space: what the server said last, carried on by this machine's own steady clock. */
export class SpaceClock {
  private said: { spaceMs: number; at: number; rate: number } | null = null;

  /** Takes over what the server said. Rate is seconds of space time for a second of real time. */
  set(spaceMs: number, rate: number): void {
    this.said = { spaceMs, at: performance.now(), rate };
  }

  setRate(rate: number): void {
    if (this.said) this.set(this.now(), rate);
  }

  now(): number {
    if (!this.said) return Date.now();
    return this.said.spaceMs + (performance.now() - this.said.at) * this.said.rate;
  }
}

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Draws everything that counts again at once, for example after a jump of an exercise's clock. */
export function tick(): void {
  for (const listener of [...listeners]) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, 250);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The clock's time, cut to whole seconds: the component is drawn once a second. */
export function useNow(clock: SpaceClock): number {
  return useSyncExternalStore(subscribe, () => Math.floor(clock.now() / 1000) * 1000);
}

/** This machine's own time, once a second: for ages of what is shown, not for deadlines. */
export function useWallNow(): number {
  return useSyncExternalStore(subscribe, () => Math.floor(Date.now() / 1000) * 1000);
}
