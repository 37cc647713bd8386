import { useId } from 'react';
import { useI18n } from '../i18n';
import { badNumber, type FigureDraft } from '../logic/facts';
import { Choice, TristateChoice } from '../ui/Choice';
import { useViolation } from '../ui/Problem';

interface Props {
  name: string;
  label: string;
  path: string;
  value: FigureDraft;
  statuses: readonly { value: number; label: string }[] | null;
  onChange: (value: FigureDraft) => void;
}

/** A number with "unknown" beside it, and whether the pollution caused it. */
export function FigureField({ name, label, path, value, statuses, onChange }: Props) {
  const { t } = useI18n();
  const id = useId();
  const ofValue = useViolation(`${path}.value`);
  const violation = useViolation(path) ?? ofValue;
  const wrong = badNumber(value.text) ? t('number.unreadable') : violation;
  const unknown = value.text.trim() === '';
  return (
    <div className={`figure ${wrong ? 'field-wrong' : ''}`} data-testid={`field-${name}`}>
      <label htmlFor={id} className="figure-label">
        {label}
      </label>
      <span className="joined">
        <input
          id={id}
          type="text"
          inputMode="decimal"
          className="num"
          value={value.text}
          autoComplete="off"
          aria-invalid={wrong !== undefined}
          data-testid={`input-${name}`}
          onChange={(e) => onChange({ ...value, text: e.target.value })}
        />
        <label className="check">
          <input
            type="checkbox"
            tabIndex={-1}
            checked={unknown}
            data-testid={`unknown-${name}`}
            onChange={(e) => e.target.checked && onChange({ ...value, text: '' })}
          />
          {t('common.unknown')}
        </label>
      </span>
      <TristateChoice
        label={t('figure.cause')}
        value={value.cause}
        testId={`${name}-cause`}
        onChange={(cause) => onChange({ ...value, cause })}
      />
      {statuses && !unknown && (
        <Choice
          quiet
          label={t('figure.status')}
          options={statuses}
          value={value.status}
          testId={`${name}-status`}
          onChange={(status) => onChange({ ...value, status })}
        />
      )}
      {wrong && (
        <span className="wrong field-note" data-testid={`violation-${name}`}>
          ✕ {wrong}
        </span>
      )}
    </div>
  );
}
