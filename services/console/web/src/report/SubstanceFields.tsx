import { useState } from 'react';
import { useI18n } from '../i18n';
import { badNumber } from '../logic/facts';
import type { SubstanceDraft } from '../logic/substances';
import { Button } from '../ui/Button';
import { TextField } from '../ui/TextField';
import { TimeField } from '../ui/TimeField';

interface Props {
  value: readonly SubstanceDraft[];
  onChange: (value: SubstanceDraft[]) => void;
  nowMs: number;
  empty: () => SubstanceDraft;
  /** Path of the list in the request. */
  path?: string;
}

/** What polluted, one block for each substance. */
export function SubstanceFields({ value, onChange, nowMs, empty, path = 'substances' }: Props) {
  const { t } = useI18n();
  return (
    <div className="substance-fields">
      {value.map((s, i) => (
        <OneSubstance
          key={i}
          at={i}
          value={s}
          path={`${path}[${i}]`}
          nowMs={nowMs}
          put={(change) => onChange(value.map((old, n) => (n === i ? { ...old, ...change } : old)))}
          remove={() => onChange(value.filter((_, n) => n !== i))}
        />
      ))}
      <Button label={t('substance.add')} tone="quiet" testId="substance-add" onClick={() => onChange([...value, empty()])} />
    </div>
  );
}

interface OneProps {
  at: number;
  value: SubstanceDraft;
  path: string;
  nowMs: number;
  put: (change: Partial<SubstanceDraft>) => void;
  remove: () => void;
}

/** What a caller can tell stands open; what a laboratory tells is folded until it is there. */
function OneSubstance({ at, value: s, path, nowMs, put, remove }: OneProps) {
  const { t } = useI18n();
  const [more, setMore] = useState([s.cas, s.over, s.section, s.method, s.sampled.text].some((text) => text !== ''));
  const wrong = (text: string) => (badNumber(text) ? t('number.unreadable') : undefined);
  const id = `substance-${at}`;
  const unknown = t('common.unknown');
  return (
    <fieldset className="substance" data-testid={id}>
      <legend>{t('substance.number', { n: at + 1 })}</legend>
      <div className="fields">
        <TextField
          label={t('substance.name')}
          path={`${path}.name`}
          value={s.name}
          onChange={(name) => put({ name })}
          testId={`${id}-name`}
          autoFocus={s.name === '' && at > 0}
        />
        <TextField
          label={t('substance.releasedKg')}
          path={`${path}.released_mass_kg`}
          value={s.releasedKg}
          onChange={(releasedKg) => put({ releasedKg })}
          testId={`${id}-released`}
          inputMode="decimal"
          wrong={wrong(s.releasedKg)}
          placeholder={unknown}
        />
        <TextField
          label={t('substance.value')}
          path={`${path}.value`}
          value={s.value}
          onChange={(value) => put({ value })}
          testId={`${id}-value`}
          inputMode="decimal"
          wrong={wrong(s.value)}
          placeholder={t('substance.notMeasured')}
        />
        <TextField
          label={t('substance.unit')}
          path={`${path}.unit`}
          value={s.unit}
          onChange={(unit) => put({ unit })}
          testId={`${id}-unit`}
        />
      </div>
      <details open={more} onToggle={(e) => setMore(e.currentTarget.open)} data-testid={`${id}-more`}>
        <summary>{t('substance.more')}</summary>
        <div className="fields">
          <TextField label={t('substance.cas')} path={`${path}.cas`} value={s.cas} onChange={(cas) => put({ cas })} testId={`${id}-cas`} />
          <TextField
            label={t('substance.over')}
            path={`${path}.times_over_limit`}
            value={s.over}
            onChange={(over) => put({ over })}
            testId={`${id}-over`}
            inputMode="decimal"
            wrong={wrong(s.over)}
            placeholder={unknown}
          />
          <TextField
            label={t('substance.section')}
            path={`${path}.section`}
            value={s.section}
            onChange={(section) => put({ section })}
            testId={`${id}-section`}
          />
          <TextField
            label={t('substance.method')}
            path={`${path}.method`}
            value={s.method}
            onChange={(method) => put({ method })}
            testId={`${id}-method`}
          />
          <TimeField
            label={t('substance.sampled')}
            path={`${path}.sampling_time`}
            value={s.sampled}
            onChange={(sampled) => put({ sampled })}
            nowMs={nowMs}
            testId={`${id}-sampled`}
            unknown
          />
        </div>
        <Button label={t('substance.remove')} tone="quiet" testId={`${id}-remove`} onClick={remove} />
      </details>
    </fieldset>
  );
}
