import { useI18n } from '../i18n';
import { dateTime, parseTime } from '../logic/time';
import { Field } from './Field';

/** A typed time: the text as it stands in the field and what it was read as. */
export interface TypedTime {
  text: string;
  ms: number | null;
}

export const noTime: TypedTime = { text: '', ms: null };
export const timeAt = (atMs: number): TypedTime => ({ text: dateTime(atMs), ms: Math.floor(atMs / 60_000) * 60_000 });

/** A text that is neither empty nor a time. */
export const unreadable = (t: TypedTime): boolean => t.text.trim() !== '' && t.ms === null;

interface Props {
  label: string;
  value: TypedTime;
  onChange: (value: TypedTime) => void;
  nowMs: number;
  testId: string;
  path?: string;
  required?: boolean;
  autoFocus?: boolean;
  /** Empty means unknown, and the field says so. */
  unknown?: boolean;
}

/** Beijing time, typed as one says it: "1435", "8-13 14:35", "2014-08-13 14:35". */
export function TimeField({ label, value, onChange, nowMs, testId, path, required, autoFocus, unknown }: Props) {
  const { t } = useI18n();
  const wrong = unreadable(value) ? t('time.unreadable') : undefined;
  const read =
    value.ms !== null
      ? value.text === dateTime(value.ms)
        ? ''
        : t('time.read', { time: dateTime(value.ms) })
      : unknown
        ? t('common.unknown')
        : t('time.how');
  return (
    <Field
      label={label}
      testId={testId}
      wrong={wrong}
      note={<span className="faint">{read}</span>}
      {...(path ? { path } : {})}
      {...(required ? { required } : {})}
    >
      {({ id, describedBy, invalid }) => (
        <span className="joined">
          <input
            id={id}
            type="text"
            className="num"
            value={value.text}
            autoFocus={autoFocus}
            autoComplete="off"
            placeholder={t('time.placeholder')}
            aria-describedby={describedBy}
            aria-invalid={invalid}
            aria-required={required}
            data-testid={`input-${testId}`}
            onChange={(e) => onChange({ text: e.target.value, ms: parseTime(e.target.value, nowMs) })}
            onBlur={() => value.ms !== null && onChange({ text: dateTime(value.ms), ms: value.ms })}
          />
          {/* By keyboard a full stop says the same, and an empty field is unknown: one stop for each field. */}
          {/* By keyboard a full stop says the same, and an empty field is unknown: one stop for each field. */}
          <button
            type="button"
            className="btn btn-quiet"
            tabIndex={-1}
            data-testid={`now-${testId}`}
            onClick={() => onChange(timeAt(nowMs))}
          >
            {t('time.now')}
          </button>
          {unknown && (
            <label className="check">
              <input
                type="checkbox"
                tabIndex={-1}
                checked={value.text.trim() === ''}
                data-testid={`unknown-${testId}`}
                onChange={(e) => e.target.checked && onChange(noTime)}
              />
              {t('common.unknown')}
            </label>
          )}
        </span>
      )}
    </Field>
  );
}
