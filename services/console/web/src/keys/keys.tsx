import { useEffect, useRef, type RefObject } from 'react';
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

/** Bindings that belong together, and the part of the page that they belong to. */
export interface Layer {
  current: readonly KeyBinding[];
  /** Its keys come first while the focus is in here; from a field elsewhere they are not reached. */
  within: RefObject<HTMLElement | null> | null;
  /** Nothing under it is reached. */
  modal: boolean;
}

/** All layers that are shown, the latest last. */
export const layers = new Store<readonly Layer[]>([]);

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit'].includes(target.type);
}

function nameOf(e: KeyboardEvent): string {
  return (e.ctrlKey || e.metaKey) && e.key === 'Enter' ? 'Ctrl+Enter' : e.key;
}

/** The layers that may answer, in their order. Two forms can be open side by side: the one with the focus is meant. */
function inOrder(target: EventTarget | null): Layer[] {
  const latest = [...layers.get()].reverse();
  const modal = latest.findIndex((l) => l.modal);
  const reachable = modal < 0 ? latest : latest.slice(0, modal + 1);
  const holds = (l: Layer) => target instanceof Node && l.within?.current?.contains(target) === true;
  const elsewhere = (l: Layer) => !holds(l) && !(l.within && typing(target));
  return [...reachable.filter(holds), ...reachable.filter(elsewhere)];
}

function onKey(e: KeyboardEvent): void {
  // Keys that belong to the browser, and keys that finish a Chinese syllable in the input method, are not ours.
  if (e.altKey || e.isComposing || e.defaultPrevented) return;
  const name = nameOf(e);
  if ((e.ctrlKey || e.metaKey) && name !== 'Ctrl+Enter') return;
  const inField = typing(e.target);
  for (const layer of inOrder(e.target)) {
    const binding = layer.current.find((b) => b.key === name && (!inField || b.whileTyping));
    if (!binding) continue;
    e.preventDefault();
    binding.run();
    return;
  }
}

let listening = false;

/** Binds keys for as long as the component is shown. */
export function useKeys(
  bindings: readonly KeyBinding[],
  { within = null, modal = false }: Partial<Pick<Layer, 'within' | 'modal'>> = {},
): void {
  const layer = useRef<Layer>({ current: bindings, within, modal });
  layer.current.current = bindings;
  useEffect(() => {
    if (!listening) {
      addEventListener('keydown', onKey);
      listening = true;
    }
    const own = layer.current;
    layers.update((all) => [...all, own]);
    return () => layers.update((all) => all.filter((l) => l !== own));
  }, []);
}
