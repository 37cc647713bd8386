import { Store } from '../live/store';

export type Lang = 'zh' | 'en';
export type Theme = 'system' | 'day' | 'night';

function read<T extends string>(key: string, allowed: readonly T[], fallback: T): T {
  try {
    const found = localStorage.getItem(key) as T | null;
    return found && allowed.includes(found) ? found : fallback;
  } catch {
    return fallback;
  }
}

function kept<T extends string>(key: string, allowed: readonly T[], fallback: T): Store<T> {
  const store = new Store<T>(read(key, allowed, fallback));
  store.subscribe(() => {
    try {
      localStorage.setItem(key, store.get());
    } catch {
      // A setting that cannot be kept holds until the page is closed.
    }
  });
  return store;
}

export const lang = kept<Lang>('fenghuo.lang', ['zh', 'en'], 'zh');
export const theme = kept<Theme>('fenghuo.theme', ['system', 'day', 'night'], 'system');

const SPACE_KEY = 'fenghuo.space';

/** The space that this window works in: "real" or "exercises/{uuid}". Per window, so that a drill on one screen leaves the other real. */
export const space = new Store<string>(sessionStorage.getItem(SPACE_KEY) ?? 'real');
space.subscribe(() => sessionStorage.setItem(SPACE_KEY, space.get()));

/** Puts language and light on the document, now and at each change. */
export function applySettings(): void {
  const apply = () => {
    document.documentElement.lang = lang.get() === 'zh' ? 'zh-CN' : 'en';
    document.documentElement.dataset['theme'] = theme.get();
  };
  lang.subscribe(apply);
  theme.subscribe(apply);
  apply();
}
