import type { I18n } from '../i18n';
import { divisionOf, fullName } from '../logic/districts';

/** Name of an obliged body. The servers name it in Chinese; in English it is named by its place. */
export function bodyName(body: { bodyCode: string; bodyName: string }, { lang, t }: Pick<I18n, 'lang' | 't'>): string {
  if (lang === 'zh' || !divisionOf(body.bodyCode)) return body.bodyName || fullName(body.bodyCode, lang);
  return t('body.of', { place: fullName(body.bodyCode, 'en') });
}
