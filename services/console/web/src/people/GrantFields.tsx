import { useI18n, type MessageKey } from '../i18n';
import { useDesk, useSpaceNow } from '../live/context';
import { Button } from '../ui/Button';
import { SelectField } from '../ui/SelectField';
import { TextField } from '../ui/TextField';
import { TimeField } from '../ui/TimeField';
import { fullName } from '../logic/districts';
import { emptyGrant, ROLES, type GrantDraft } from './grants';

interface Props {
  value: readonly GrantDraft[];
  onChange: (value: GrantDraft[]) => void;
  path: string;
}

/** Grants: role, jurisdiction, dates. */
export function GrantFields({ value, onChange, path }: Props) {
  const { t, lang } = useI18n();
  const { node } = useDesk();
  const now = useSpaceNow();
  const put = (at: number, change: Partial<GrantDraft>) => onChange(value.map((g, i) => (i === at ? { ...g, ...change } : g)));
  return (
    <div>
      {value.map((g, i) => (
        <div key={i} className="fields grant" data-testid={`grant-${i}`}>
          <SelectField
            label={t('people.role')}
            path={`${path}[${i}].role`}
            value={g.role}
            options={ROLES.map((r) => ({ value: r, label: t(`role.${r}` as MessageKey) }))}
            onChange={(role) => put(i, { role })}
            testId={`grant-${i}-role`}
          />
          <TextField
            label={t('people.jurisdiction')}
            path={`${path}[${i}].jurisdiction`}
            value={g.jurisdiction}
            onChange={(jurisdiction) => put(i, { jurisdiction: jurisdiction.trim() })}
            testId={`grant-${i}-jurisdiction`}
            inputMode="numeric"
            note={fullName(g.jurisdiction, lang)}
          />
          <TimeField
            label={t('people.from')}
            path={`${path}[${i}].start_time`}
            value={g.from}
            onChange={(from) => put(i, { from })}
            nowMs={now}
            testId={`grant-${i}-from`}
          />
          <TimeField
            label={t('people.until')}
            path={`${path}[${i}].end_time`}
            value={g.until}
            onChange={(until) => put(i, { until })}
            nowMs={now}
            testId={`grant-${i}-until`}
          />
          <Button
            label={t('people.removeGrant')}
            tone="quiet"
            testId={`grant-${i}-remove`}
            onClick={() => onChange(value.filter((_, n) => n !== i))}
          />
        </div>
      ))}
      <Button
        label={t('people.addGrant')}
        tone="quiet"
        testId="grant-add"
        onClick={() => onChange([...value, emptyGrant(node.provinceCode, now)])}
      />
    </div>
  );
}
