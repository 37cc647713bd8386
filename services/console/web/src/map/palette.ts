/** Colours of the map by day and by night. None of the four statutory colours is among them. */
export interface Palette {
  beyond: string;
  neighbour: string;
  own: string;
  border: string;
  inner: string;
  river: string;
  text: string;
  halo: string;
  point: string;
}

const DAY: Palette = {
  beyond: '#e9e9e6',
  neighbour: '#f2f2ef',
  own: '#fdfdfb',
  border: '#555555',
  inner: '#c2c2bd',
  river: '#5f9ea0',
  text: '#333333',
  halo: '#fdfdfb',
  point: '#1f4f4c',
};

const NIGHT: Palette = {
  beyond: '#0c0d0e',
  neighbour: '#131516',
  own: '#1b1e20',
  border: '#9a9a96',
  inner: '#393d40',
  river: '#4c8384',
  text: '#d6d6d2',
  halo: '#131516',
  point: '#a5d3cf',
};

export const isNight = (): boolean => {
  const theme = document.documentElement.dataset['theme'];
  return theme === 'night' || (theme !== 'day' && matchMedia('(prefers-color-scheme: dark)').matches);
};

export const palette = (): Palette => (isNight() ? NIGHT : DAY);
