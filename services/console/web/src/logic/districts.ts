import all from '../gen/divisions.json';

/** An administrative division to choose from. */
export interface Division {
  code: string;
  zh: string;
  en: string;
  lon: number | null;
  lat: number | null;
  /** Empty, or "abolished 2025-11". */
  old: string;
}

export const divisions: readonly Division[] = all;
const byCode = new Map(divisions.map((d) => [d.code, d]));

export const divisionOf = (code: string): Division | undefined => byCode.get(code);
export const provinceOf = (code: string): string => `${code.slice(0, 2)}0000`;

/** "巫山县", or the code itself for a place that is not in the list. */
export function divisionName(code: string, lang: 'zh' | 'en'): string {
  const d = byCode.get(code);
  return d ? d[lang] : code;
}

/** "湖北省建始县" / "Jianshi, Hubei" */
export function fullName(code: string, lang: 'zh' | 'en'): string {
  const name = divisionName(code, lang);
  const province = provinceOf(code);
  if (province === code || !byCode.has(province)) return name;
  return lang === 'zh' ? `${divisionName(province, 'zh')}${name}` : `${name}, ${divisionName(province, 'en')}`;
}

const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9一-鿿]/g, '');

function score(d: Division, query: string): number {
  const zh = plain(d.zh);
  const en = plain(d.en);
  if (d.code === query || zh === query || en === query) return 0;
  if (zh.startsWith(query) || en.startsWith(query) || d.code.startsWith(query)) return 1;
  const initials = d.en
    .split(/[^A-Za-z]+/)
    .map((w) => w.charAt(0).toLowerCase())
    .join('');
  if (query.length > 1 && initials.startsWith(query)) return 2;
  return zh.includes(query) || en.includes(query) ? 3 : 9;
}

/** County-level units that match what was typed, those of the home province first. */
export function searchDivisions(query: string, home: string, limit = 8): Division[] {
  const q = plain(query);
  return divisions
    .filter((d) => !d.code.endsWith('0000'))
    .map((d) => ({ d, s: q === '' ? 3 : score(d, q) }))
    .filter(({ s }) => s < 9)
    .sort(
      (a, b) =>
        Number(a.s !== 0) - Number(b.s !== 0) ||
        Number(provinceOf(a.d.code) !== home) - Number(provinceOf(b.d.code) !== home) ||
        a.s - b.s ||
        Number(a.d.old !== '') - Number(b.d.old !== '') ||
        (a.d.code < b.d.code ? -1 : 1),
    )
    .slice(0, limit)
    .map(({ d }) => d);
}
