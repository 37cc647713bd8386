import { useState } from 'react';
import { uuid } from '../api/request';
import { useCall } from '../api/useCall';
import type { Person } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { useI18n, type I18n } from '../i18n';
import { useDesk } from '../live/context';
import { Button } from '../ui/Button';
import { ConfirmBar } from '../ui/ConfirmBar';
import { DataTable, type Column } from '../ui/DataTable';
import { ProblemBox } from '../ui/Problem';
import { grantText } from './grants';

interface Props {
  people: readonly Person[];
  onGrants: (person: Person) => void;
  onChanged: () => void;
}

/** Everybody with their grants. */
export function PeopleTable({ people, onGrants, onChanged }: Props) {
  const i18n = useI18n();
  const { t } = i18n;
  const { clients, node } = useDesk();
  const call = useCall();
  const [asking, setAsking] = useState<Person | null>(null);
  const setActive = async (person: Person, active: boolean) => {
    await call.run(() => clients.people.setPersonActive({ requestId: uuid(), name: person.name, active }));
    setAsking(null);
    onChanged();
  };
  return (
    <>
      <ProblemBox problem={call.problem} />
      {asking && (
        <ConfirmBar
          sentence={t('people.offSentence', { name: asking.displayName })}
          confirmLabel={t('people.off')}
          busy={call.busy}
          onConfirm={() => void setActive(asking, false)}
          onCancel={() => setAsking(null)}
          testId="person-off"
        />
      )}
      <DataTable
        columns={columns(i18n)}
        rows={people}
        rowKey={(p) => p.name}
        rowData={(p) => ({ 'data-testid': 'person-row', 'data-user': p.userName })}
        empty={t('people.none')}
        fileName={`${node.provinceCode}-people.csv`}
        testId="people-table"
        actions={(p) => (
          <span className="row">
            <Button label={t('people.grants')} tone="quiet" testId="person-grants" onClick={() => onGrants(p)} />
            {p.active ? (
              <Button label={t('people.off')} tone="quiet" testId="person-deactivate" onClick={() => setAsking(p)} />
            ) : (
              <Button label={t('people.on')} tone="quiet" testId="person-activate" onClick={() => void setActive(p, true)} />
            )}
          </span>
        )}
      />
    </>
  );
}

function columns({ t, lang }: I18n): Column<Person>[] {
  const grants = (p: Person) => p.grants.map((g) => grantText(g, t, lang));
  return [
    { label: t('signIn.userName'), text: (p) => p.userName, cell: (p) => <span className="mono">{p.userName}</span> },
    { label: t('people.displayName'), text: (p) => p.displayName },
    { label: t('people.post'), text: (p) => p.post },
    { label: t('people.grants'), text: (p) => grants(p).join('; '), cell: (p) => grants(p).map((g) => <div key={g}>{g}</div>) },
    { label: t('people.state'), text: (p) => (p.active ? t('people.active') : t('people.inactive')) },
  ];
}
