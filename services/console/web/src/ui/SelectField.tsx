import { Field } from './Field';

interface Props {
  label: string;
  value: number;
  options: readonly { value: number; label: string }[];
  onChange: (value: number) => void;
  testId: string;
  path?: string;
  required?: boolean;
  autoFocus?: boolean;
  wide?: boolean;
}

/** One of several, as a list to open: typing the first letters chooses. */
export function SelectField({ label, value, options, onChange, testId, path, required, autoFocus, wide }: Props) {
  return (
    <Field label={label} testId={testId} {...(path ? { path } : {})} {...(required ? { required } : {})} {...(wide ? { wide } : {})}>
      {({ id, describedBy, invalid }) => (
        <select
          id={id}
          value={value}
          autoFocus={autoFocus}
          aria-describedby={describedBy}
          aria-invalid={invalid}
          data-testid={`input-${testId}`}
          onChange={(e) => onChange(Number(e.target.value))}
        >
          {options.map((o) => (
            <option key={o.value} value={o.value}>
              {o.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
