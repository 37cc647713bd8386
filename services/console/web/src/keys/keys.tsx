import { useEffect, useRef } from 'react';
import { Store } from '../live/store';
import type { MessageKey } from '../i18n';

/** A key that does something where the officer is now. */
export interface KeyBinding {
  /** As in KeyboardEvent.key; "Ctrl+Enter" is the only one with a modifier. */
  key: string;
  label: MessageKey;
  run: () => void;
  /** Also while typing in a field. */
  whileTyping?: boolean;
}

/** Layers of bindings: the last one that knows a key answers it, so that a form's Escape comes before the desk's. */
export const layers = new Store<readonly { current: readonly KeyBinding[] }[]>([]);

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit'].includes(target.type);
}

function nameOf(e: KeyboardEvent): string {
  return (e.ctrlKey || e.metaKey) && e.key === 'Enter' ? 'Ctrl+Enter' : e.key;
}

function onKey(e: KeyboardEvent): void {
  // Keys that belong to the browser, and keys that finish a Chinese syllable in the input method, are not ours.
  if (e.altKey || e.isComposing || e.defaultPrevented) return;
  const name = nameOf(e);
  if ((e.ctrlKey || e.metaKey) && name !== 'Ctrl+Enter') return;
  const inField = typing(e.target);
  for (const layer of [...layers.get()].reverse()) {
    const binding = layer.current.find((b) => b.key === name && (!inField || b.whileTyping));
    if (!binding) continue;
    // Enter and Space on a focused control belong to that control.
    if (name === 'Enter' && e.target instanceof HTMLElement && e.target.closest('a,button,summary')) return;
    e.preventDefault();
    binding.run();
    return;
  }
}

let listening = false;

/** Binds keys for as long as the component is shown. */
export function useKeys(bindings: readonly KeyBinding[]): void {
  const layer = useRef<readonly KeyBinding[]>(bindings);
  layer.current = bindings;
  useEffect(() => {
    if (!listening) {
      addEventListener('keydown', onKey);
      listening = true;
    }
    layers.update((all) => [...all, layer]);
    return () => layers.update((all) => all.filter((l) => l !== layer));
  }, []);
}
