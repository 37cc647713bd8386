/** Typed text that is kept on this machine until it has been sent. */
export interface DraftStore {
  load<T>(key: string): Kept<T> | null;
  save<T>(key: string, value: T, atMs: number): boolean;
  drop(key: string): void;
  keys(): string[];
}

export interface Kept<T> {
  value: T;
  /** When it was kept, this machine's time. */
  savedMs: number;
}

const PREFIX = 'fenghuo.draft.';

/** The part of the browser's storage that is used here. */
export type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem' | 'length' | 'key'>;

/** Drafts in the browser's storage. A full or forbidden storage makes `save` answer false: the page then says so. */
export function draftsIn(storage: Storage): DraftStore {
  return {
    load<T>(key: string): Kept<T> | null {
      try {
        const raw = storage.getItem(PREFIX + key);
        if (raw === null) return null;
        const kept = JSON.parse(raw) as Kept<T>;
        return typeof kept.savedMs === 'number' && kept.value !== undefined ? kept : null;
      } catch {
        return null;
      }
    },
    save(key, value, atMs) {
      try {
        storage.setItem(PREFIX + key, JSON.stringify({ value, savedMs: atMs }));
        return true;
      } catch {
        return false;
      }
    },
    drop(key) {
      try {
        storage.removeItem(PREFIX + key);
      } catch {
        // Nothing was kept, so nothing is left behind.
      }
    },
    keys() {
      const found: string[] = [];
      for (let i = 0; i < storage.length; i++) {
        const key = storage.key(i);
        if (key?.startsWith(PREFIX)) found.push(key.slice(PREFIX.length));
      }
      return found.sort();
    },
  };
}

/** The key of a draft: of one person, in one space of one province, for one thing. */
export function draftKey(province: string, space: string, user: string, thing: string): string {
  return [province, space, user, thing].join('|');
}
