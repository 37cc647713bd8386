import { lang as langStore, type Lang } from '../app/settings';
import { useStore } from '../live/store';
import { en } from './en';
import { zh } from './zh';

export type MessageKey = keyof typeof zh;
export type Params = Readonly<Record<string, string | number>>;

const catalogues: Record<Lang, Record<MessageKey, string>> = { zh, en };

/** A whole sentence of the catalogue with its places filled in. */
export function format(lang: Lang, key: MessageKey, params: Params = {}): string {
  return catalogues[lang][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

export interface I18n {
  lang: Lang;
  t: (key: MessageKey, params?: Params) => string;
  /** The text in the language of the page, of those that a record carries in both. */
  pick: (zhText: string, enText: string) => string;
}

export function useI18n(): I18n {
  const lang = useStore(langStore);
  return {
    lang,
    t: (key, params) => format(lang, key, params),
    pick: (zhText, enText) => (lang === 'zh' ? zhText || enText : enText || zhText),
  };
}
