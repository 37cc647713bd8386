import type { ButtonHTMLAttributes } from 'react';
import { Kbd } from './Kbd';

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  label: string;
  /** The key that does the same, shown beside the label. */
  hint?: string;
  tone?: 'plain' | 'main' | 'quiet';
  testId: string;
}

/** A button that shows its key. */
export function Button({ label, hint, tone = 'plain', testId, type = 'button', className = '', ...rest }: Props) {
  return (
    <button {...rest} type={type} className={`btn btn-${tone} ${className}`} data-testid={testId}>
      {label}
      {hint && <Kbd>{hint}</Kbd>}
    </button>
  );
}
