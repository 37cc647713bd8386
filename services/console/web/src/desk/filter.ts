import { useMemo, useState } from 'react';
import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { fullName } from '../logic/districts';

/** The search above the queue. */
export interface Filter {
  text: string;
  set: (text: string) => void;
  apply: (incidents: Incident[]) => Incident[];
}

function textOf(i: Incident): string {
  const code = i.place?.adminCode ?? '';
  return [
    i.title,
    i.place?.description,
    i.place?.waterBody,
    code,
    fullName(code, 'zh'),
    fullName(code, 'en'),
    ...i.substances.map((s) => `${s.name} ${s.cas}`),
  ]
    .join(' ')
    .toLowerCase();
}

export function useFilter(): Filter {
  const [text, set] = useState('');
  return useMemo(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const apply = (incidents: Incident[]) =>
      words.length === 0 ? incidents : incidents.filter((i) => words.every((w) => textOf(i).includes(w)));
    return { text, set, apply };
  }, [text]);
}
