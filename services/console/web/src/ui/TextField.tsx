import { Field } from './Field';

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  testId: string;
  path?: string;
  wrong?: string | undefined;
  rows?: number;
  wide?: boolean;
  required?: boolean;
  type?: 'text' | 'password' | 'tel';
  autoFocus?: boolean;
  autoComplete?: string;
  inputMode?: 'text' | 'decimal' | 'numeric' | 'tel';
  placeholder?: string;
  note?: string;
}

/** One line of text, or several when `rows` is given. */
export function TextField(p: Props) {
  return (
    <Field {...p}>
      {({ id, describedBy, invalid }) => {
        const common = {
          id,
          value: p.value,
          placeholder: p.placeholder,
          autoFocus: p.autoFocus,
          'aria-describedby': describedBy,
          'aria-invalid': invalid,
          'aria-required': p.required,
          'data-testid': `input-${p.testId}`,
          autoComplete: p.autoComplete ?? 'off',
          inputMode: p.inputMode,
        };
        return p.rows ? (
          <textarea {...common} rows={p.rows} onChange={(e) => p.onChange(e.target.value)} />
        ) : (
          <input {...common} type={p.type ?? 'text'} onChange={(e) => p.onChange(e.target.value)} />
        );
      }}
    </Field>
  );
}
