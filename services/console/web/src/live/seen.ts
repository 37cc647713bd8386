import { useEffect } from 'react';
import { Seen } from '../logic/seen';
import { Store, useStore } from './store';

const versions = new Store(0);
const bySpace = new Map<string, Seen>();
const KEY = 'fenghuo.seen.';

function seenIn(space: string): Seen {
  let seen = bySpace.get(space);
  if (!seen) {
    let saved: [string, string][] = [];
    try {
      saved = JSON.parse(localStorage.getItem(KEY + space) ?? '[]') as [string, string][];
    } catch {
      saved = [];
    }
    seen = new Seen(saved);
    bySpace.set(space, seen);
  }
  return seen;
}

function keep(space: string, seen: Seen): void {
  versions.update((n) => n + 1);
  try {
    localStorage.setItem(KEY + space, JSON.stringify(seen.entries().slice(-2000)));
  } catch {
    // Without storage the marks hold for as long as the page is open.
  }
}

/** Marks of what changed since it was seen, in the space `scope` (province and space). */
export function useSeen(scope: string): Seen {
  useStore(versions);
  return seenIn(scope);
}

export function startSeen(scope: string, current: Iterable<[string, string]>): void {
  const seen = seenIn(scope);
  if (seen.start(current)) keep(scope, seen);
}

/** What is open counts as seen after a second. */
export function useSee(scope: string, name: string | undefined, revision: string | undefined): void {
  useEffect(() => {
    if (!name || !revision) return;
    const timer = setTimeout(() => {
      const seen = seenIn(scope);
      if (seen.see(name, revision)) keep(scope, seen);
    }, 1000);
    return () => clearTimeout(timer);
  }, [scope, name, revision]);
}
