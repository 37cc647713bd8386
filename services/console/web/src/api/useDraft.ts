import { useCallback, useEffect, useRef, useState } from 'react';
import { draftKey, draftsIn, type DraftStore } from '../logic/drafts';
import { useDesk } from '../live/context';
import { session } from './session';

const PAUSE_MS = 350;

export const drafts: DraftStore = draftsIn(localStorage);

export function useDraftKey(thing: string): string {
  const { node, space } = useDesk();
  return draftKey(node.provinceCode, space, session.get()?.person.userName ?? '', thing);
}

/** A value that is kept on this machine at each pause, and brought back when the form opens again. */
export interface Draft<T> {
  value: T;
  set: (value: T) => void;
  /** When it was last kept; null before the first time. */
  savedMs: number | null;
  /** It was brought back from an earlier time. */
  restored: boolean;
  /** The storage of this browser refuses to keep it. */
  lost: boolean;
  /** Throws the kept one away and begins anew. */
  reset: (value: T) => void;
}

export function useDraft<T>(thing: string, fresh: () => T): Draft<T> {
  const key = useDraftKey(thing);
  const [initial] = useState(() => drafts.load<T>(key));
  const [value, setValue] = useState<T>(() => initial?.value ?? fresh());
  const [savedMs, setSaved] = useState<number | null>(initial?.savedMs ?? null);
  const [restored, setRestored] = useState(initial !== null);
  const [lost, setLost] = useState(false);
  const unsaved = useRef<{ value: T } | null>(null);

  const keep = useCallback(() => {
    if (!unsaved.current) return;
    const now = Date.now();
    const kept = drafts.save(key, unsaved.current.value, now);
    unsaved.current = null;
    setLost(!kept);
    if (kept) setSaved(now);
  }, [key]);

  useEffect(() => {
    const timer = setTimeout(keep, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value, keep]);

  // A tab that is closed, or a session that ends, between two pauses.
  useEffect(() => {
    addEventListener('pagehide', keep);
    return () => {
      removeEventListener('pagehide', keep);
      keep();
    };
  }, [keep]);

  const set = useCallback((next: T) => {
    unsaved.current = { value: next };
    setValue(next);
  }, []);

  const reset = useCallback(
    (next: T) => {
      unsaved.current = null;
      drafts.drop(key);
      setSaved(null);
      setRestored(false);
      setValue(next);
    },
    [key],
  );

  return { value, set, savedMs, restored, lost, reset };
}
