import { useId, type ReactNode } from 'react';
import { useViolation } from './Problem';

interface Props {
  label: string;
  /** Path of the field in the request, to which the server's violations refer. */
  path?: string;
  /** What is wrong, as found in the page. */
  wrong?: string | undefined;
  note?: ReactNode;
  required?: boolean;
  wide?: boolean;
  testId: string;
  children: (ids: { id: string; describedBy: string; invalid: boolean }) => ReactNode;
}

/** A labelled field with what is wrong with it beneath. */
export function Field({ label, path, wrong, note, required, wide, testId, children }: Props) {
  const id = useId();
  const violation = useViolation(path);
  const said = wrong ?? violation;
  return (
    <div className={`field ${wide ? 'field-wide' : ''} ${said ? 'field-wrong' : ''}`} data-testid={`field-${testId}`}>
      <label htmlFor={id}>
        {label}
        {required && (
          <span className="required" aria-hidden="true">
            {' '}
            *
          </span>
        )}
      </label>
      {children({ id, describedBy: `${id}-note`, invalid: said !== undefined })}
      <div id={`${id}-note`} className="field-note">
        {said && (
          <span className="wrong" data-testid={`violation-${testId}`}>
            ✕ {said}
          </span>
        )}
        {note}
      </div>
    </div>
  );
}
