import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n } from '../i18n';
import { Field } from '../ui/Field';
import { bodyName } from './bodies';

export interface Body {
  code: string;
  name: string;
}

/** Bodies that have to do with an incident: those that a clock obliges; while there are none, the place's own and the province's. */
export function bodiesOf(incident: Incident, province: string): Body[] {
  const found = new Map<string, string>();
  for (const c of incident.clocks) found.set(c.bodyCode, c.bodyName);
  for (const code of found.size > 0 ? [] : [incident.place?.adminCode ?? '', province]) {
    if (code !== '' && !found.has(code)) found.set(code, '');
  }
  return [...found].map(([code, name]) => ({ code, name })).sort((a, b) => (a.code < b.code ? -1 : 1));
}

interface Props {
  label: string;
  bodies: readonly Body[];
  value: string;
  onChange: (code: string) => void;
  testId: string;
  path: string;
}

/** One of the bodies of an incident. */
export function BodyPicker({ label, bodies, value, onChange, testId, path }: Props) {
  const i18n = useI18n();
  return (
    <Field label={label} path={path} testId={testId}>
      {({ id, describedBy, invalid }) => (
        <select
          id={id}
          value={value}
          aria-describedby={describedBy}
          aria-invalid={invalid}
          data-testid={`input-${testId}`}
          onChange={(e) => onChange(e.target.value)}
        >
          {bodies.map((b) => (
            <option key={b.code} value={b.code}>
              {bodyName({ bodyCode: b.code, bodyName: b.name }, i18n)} {b.code}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
