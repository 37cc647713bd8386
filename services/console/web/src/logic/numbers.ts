/** A number as it was given, thousands separated by a thin space: no digit is lost or invented. */
export function formatNumber(value: number): string {
  const [whole = '', fraction] = Math.abs(value) < 1e15 ? plain(value).split('.') : [String(value)];
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

// Small values are written out: "0.000005", not "5e-6".
function plain(value: number): string {
  const text = String(value);
  const small = /e-(\d+)$/.exec(text);
  if (!small) return text;
  const digits = (text.split('e')[0] ?? '').replace(/^-?\d\.?/, '').length;
  return value.toFixed(Math.min(100, Number(small[1]) + digits));
}
