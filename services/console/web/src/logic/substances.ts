import type { MessageInitShape } from '@bufbuild/protobuf';
import type { SubstanceSchema } from '../gen/proto/fenghuo/common/v1/common_pb';
import type { Substance } from '../gen/proto/fenghuo/common/v1/common_pb';
import type { TypedTime } from '../ui/TimeField';
import { badNumber, numberIn } from './facts';
import { dateTime, ms, stamp } from './time';

/** A pollutant as it stands in a form. Empty numbers are unknown. */
export interface SubstanceDraft {
  name: string;
  cas: string;
  value: string;
  unit: string;
  method: string;
  section: string;
  sampled: TypedTime;
  over: string;
  releasedKg: string;
}

export const emptySubstance = (): SubstanceDraft => ({
  name: '',
  cas: '',
  value: '',
  unit: 'mg/L',
  method: '',
  section: '',
  sampled: { text: '', ms: null },
  over: '',
  releasedKg: '',
});

export const substanceReadable = (s: SubstanceDraft): boolean => ![s.value, s.over, s.releasedKg].some(badNumber);

export function substanceOf(s: SubstanceDraft): MessageInitShape<typeof SubstanceSchema> {
  const optional = <K extends string>(key: K, text: string) => {
    const n = numberIn(text);
    return n === undefined ? {} : ({ [key]: n } as Record<K, number>);
  };
  const sampled = stamp(s.sampled.ms);
  return {
    name: s.name.trim(),
    cas: s.cas.trim(),
    unit: numberIn(s.value) === undefined ? '' : s.unit.trim(),
    method: s.method.trim(),
    section: s.section.trim(),
    ...optional('value', s.value),
    ...optional('timesOverLimit', s.over),
    ...optional('releasedMassKg', s.releasedKg),
    ...(sampled ? { samplingTime: sampled } : {}),
  };
}

export function draftOfSubstance(s: Substance): SubstanceDraft {
  const text = (n: number | undefined) => (n === undefined ? '' : String(n));
  const sampled = ms(s.samplingTime) ?? null;
  return {
    name: s.name,
    cas: s.cas,
    value: text(s.value),
    unit: s.unit || 'mg/L',
    method: s.method,
    section: s.section,
    sampled: { text: sampled === null ? '' : dateTime(sampled), ms: sampled },
    over: text(s.timesOverLimit),
    releasedKg: text(s.releasedMassKg),
  };
}
