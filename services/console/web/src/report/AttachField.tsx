import { IncidentState } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n } from '../i18n';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { divisionName } from '../logic/districts';
import { Field } from '../ui/Field';

/** Whether the report belongs to an open incident. Left alone, the server matches. */
export function AttachField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t, lang } = useI18n();
  const { live } = useDesk();
  const open = [...useStore(live.incidents.list).values()].filter((i) => i.state === IncidentState.OPEN);
  return (
    <Field label={t('attach.title')} path="incident" testId="attach" wide>
      {({ id, describedBy, invalid }) => (
        <select
          id={id}
          value={value}
          aria-describedby={describedBy}
          aria-invalid={invalid}
          data-testid="input-attach"
          onChange={(e) => onChange(e.target.value)}
        >
          <option value="">{t('attach.match')}</option>
          <option value="new">{t('attach.new')}</option>
          {open.map((i) => (
            <option key={i.name} value={i.name}>
              {divisionName(i.place?.adminCode ?? '', lang)} {i.title}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
