import { useId } from 'react';
import { Tristate } from '../gen/proto/fenghuo/common/v1/common_pb';
import { useI18n } from '../i18n';
import { useViolation } from './Problem';

interface Option {
  value: number;
  label: string;
}

interface Props {
  label: string;
  options: readonly Option[];
  value: number;
  onChange: (value: number) => void;
  testId: string;
  path?: string;
  /** The label is for readers of the screen only. */
  quiet?: boolean;
  hint?: string;
}

/** One of a few, as radio buttons in a row: the arrow keys choose. */
export function Choice({ label, options, value, onChange, testId, path, quiet, hint }: Props) {
  const name = useId();
  const violation = useViolation(path);
  return (
    <fieldset className={`choice ${violation ? 'field-wrong' : ''}`} data-testid={`field-${testId}`}>
      <legend className={quiet ? 'sr' : ''}>{label}</legend>
      <span className="choice-row">
        {options.map((o) => (
          <label key={o.value} className={o.value === value ? 'chosen' : ''}>
            <input
              type="radio"
              name={name}
              checked={o.value === value}
              data-testid={`choice-${testId}-${o.value}`}
              onChange={() => onChange(o.value)}
            />
            {o.label}
          </label>
        ))}
      </span>
      {hint && <span className="field-note faint">{hint}</span>}
      {violation && (
        <span className="wrong field-note" data-testid={`violation-${testId}`}>
          ✕ {violation}
        </span>
      )}
    </fieldset>
  );
}

/** Yes, no, unknown. Unknown stands first because it is where every question starts. */
export function TristateChoice(props: Omit<Props, 'options'>) {
  const { t } = useI18n();
  const value = props.value === Tristate.UNSPECIFIED ? Tristate.UNKNOWN : props.value;
  const options = [Tristate.UNKNOWN, Tristate.YES, Tristate.NO].map((v) => ({ value: v, label: t(`tristate.${v}` as 'tristate.1') }));
  return <Choice {...props} value={value} options={options} />;
}
