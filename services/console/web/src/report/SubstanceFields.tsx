import { useI18n } from '../i18n';
import type { SubstanceDraft } from '../logic/substances';
import { badNumber } from '../logic/facts';
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
  const put = (at: number, change: Partial<SubstanceDraft>) => onChange(value.map((s, i) => (i === at ? { ...s, ...change } : s)));
  const wrong = (text: string) => (badNumber(text) ? t('number.unreadable') : undefined);
  return (
    <div className="substance-fields">
      {value.map((s, i) => (
        <fieldset key={i} className="substance" data-testid={`substance-${i}`}>
          <legend>{t('substance.number', { n: i + 1 })}</legend>
          <div className="fields">
            <TextField
              label={t('substance.name')}
              path={`${path}[${i}].name`}
              value={s.name}
              onChange={(name) => put(i, { name })}
              testId={`substance-${i}-name`}
              autoFocus={s.name === '' && i > 0}
            />
            <TextField
              label={t('substance.cas')}
              path={`${path}[${i}].cas`}
              value={s.cas}
              onChange={(cas) => put(i, { cas })}
              testId={`substance-${i}-cas`}
            />
            <TextField
              label={t('substance.releasedKg')}
              path={`${path}[${i}].released_mass_kg`}
              value={s.releasedKg}
              onChange={(releasedKg) => put(i, { releasedKg })}
              testId={`substance-${i}-released`}
              inputMode="decimal"
              wrong={wrong(s.releasedKg)}
              placeholder={t('common.unknown')}
            />
            <TextField
              label={t('substance.value')}
              path={`${path}[${i}].value`}
              value={s.value}
              onChange={(v) => put(i, { value: v })}
              testId={`substance-${i}-value`}
              inputMode="decimal"
              wrong={wrong(s.value)}
              placeholder={t('substance.notMeasured')}
            />
            <TextField
              label={t('substance.unit')}
              path={`${path}[${i}].unit`}
              value={s.unit}
              onChange={(unit) => put(i, { unit })}
              testId={`substance-${i}-unit`}
            />
            <TextField
              label={t('substance.over')}
              path={`${path}[${i}].times_over_limit`}
              value={s.over}
              onChange={(over) => put(i, { over })}
              testId={`substance-${i}-over`}
              inputMode="decimal"
              wrong={wrong(s.over)}
              placeholder={t('common.unknown')}
            />
            <TextField
              label={t('substance.section')}
              path={`${path}[${i}].section`}
              value={s.section}
              onChange={(section) => put(i, { section })}
              testId={`substance-${i}-section`}
            />
            <TextField
              label={t('substance.method')}
              path={`${path}[${i}].method`}
              value={s.method}
              onChange={(method) => put(i, { method })}
              testId={`substance-${i}-method`}
            />
            <TimeField
              label={t('substance.sampled')}
              path={`${path}[${i}].sampling_time`}
              value={s.sampled}
              onChange={(sampled) => put(i, { sampled })}
              nowMs={nowMs}
              testId={`substance-${i}-sampled`}
              unknown
            />
          </div>
          <Button
            label={t('substance.remove')}
            tone="quiet"
            testId={`substance-${i}-remove`}
            onClick={() => onChange(value.filter((_, n) => n !== i))}
          />
        </fieldset>
      ))}
      <Button label={t('substance.add')} tone="quiet" testId="substance-add" onClick={() => onChange([...value, empty()])} />
    </div>
  );
}
