import { create } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { FigureSchema, FigureStatus, Tristate, type Figure } from '../gen/proto/fenghuo/common/v1/common_pb';
import { FactsSchema, type Facts } from '../gen/proto/fenghuo/incident/v1/incident_pb';

export const FIGURES = ['deaths', 'poisonedOrInjured', 'evacuated', 'withoutWater', 'directLossYuan'] as const;
export type FigureKey = (typeof FIGURES)[number];

/** Facts with levels, and how many levels each has (0 is unknown). */
export const LEVELS = { waterIntakeInterruption: 4, boundaryEffect: 5, ecologicalHarm: 4, radioactiveSourceLoss: 5 } as const;
export type LevelKey = keyof typeof LEVELS;

export const ANSWERS = [
  'confirmedEnvironmental',
  'hazardousInSensitiveArea',
  'drinkingWaterProtectionArea',
  'residentialSchoolHospital',
  'heavyMetal',
  'mayCrossProvince',
  'massIncident',
  'departmentJudgesReportable',
] as const;
export type AnswerKey = (typeof ANSWERS)[number];

/** A figure as it stands in a form. An empty text is unknown, never zero. */
export interface FigureDraft {
  text: string;
  cause: number;
  status: number;
}

/** Facts as they stand in a form. */
export interface FactsDraft {
  figures: Record<FigureKey, FigureDraft>;
  levels: Record<LevelKey, number>;
  answers: Record<AnswerKey, number>;
}

const fromEntries = <K extends string, V>(keys: readonly K[], value: (key: K) => V): Record<K, V> =>
  Object.fromEntries(keys.map((k) => [k, value(k)])) as Record<K, V>;

const levelKeys = Object.keys(LEVELS) as LevelKey[];

function figureDraft(f: Figure | undefined): FigureDraft {
  const known = f?.causedByPollution === Tristate.YES || f?.causedByPollution === Tristate.NO;
  return {
    text: f?.value === undefined ? '' : String(f.value),
    cause: known ? (f?.causedByPollution ?? Tristate.UNKNOWN) : Tristate.UNKNOWN,
    status: f?.status || FigureStatus.HEARD,
  };
}

export function draftOfFacts(facts?: Facts): FactsDraft {
  return {
    figures: fromEntries(FIGURES, (k) => figureDraft(facts?.[k])),
    levels: fromEntries(levelKeys, (k) => facts?.[k] ?? 0),
    answers: fromEntries(ANSWERS, (k) => facts?.[k] || Tristate.UNKNOWN),
  };
}

/** The number in a text: undefined for unknown, NaN for something that is no number. Thousands may be separated. */
export function numberIn(text: string): number | undefined {
  const plain = text
    .normalize('NFKC')
    .trim()
    .replace(/(?<=\d)[,](?=\d{3}(\D|$))/g, '');
  if (plain === '') return undefined;
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : Number.NaN;
}

export const badNumber = (text: string): boolean => Number.isNaN(numberIn(text) ?? 0);

export const factsReadable = (d: FactsDraft): boolean => FIGURES.every((k) => !badNumber(d.figures[k].text));

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The message for a form: only what differs from `before` is set, because a field that is set replaces what is known. */
export function factsOf(draft: FactsDraft, before: FactsDraft, source: string, asOf: Timestamp | undefined): Facts {
  const facts = create(FactsSchema);
  for (const k of FIGURES) {
    const f = draft.figures[k];
    if (same(f, before.figures[k])) continue;
    const value = numberIn(f.text);
    facts[k] = create(FigureSchema, {
      ...(value === undefined ? {} : { value }),
      causedByPollution: f.cause,
      status: f.status,
      source,
      ...(asOf ? { asOfTime: asOf } : {}),
    });
  }
  for (const k of levelKeys) {
    if (draft.levels[k] !== before.levels[k]) (facts as Record<LevelKey, number>)[k] = draft.levels[k];
  }
  for (const k of ANSWERS) {
    if (draft.answers[k] !== before.answers[k]) facts[k] = draft.answers[k];
  }
  return facts;
}

/** Something in the form differs from what was there before. */
export const factsChanged = (draft: FactsDraft, before: FactsDraft): boolean => !same(draft, before);
