import { useState } from 'react';
import { uuid } from '../api/request';
import { useCall } from '../api/useCall';
import type { Person } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { useI18n } from '../i18n';
import { useDesk } from '../live/context';
import { Button } from '../ui/Button';
import { ConfirmBar } from '../ui/ConfirmBar';
import { ProblemBox } from '../ui/Problem';
import { grantText } from './grants';

interface Props {
  people: readonly Person[];
  onGrants: (person: Person) => void;
  onChanged: () => void;
}

/** Everybody with their grants. */
export function PeopleTable({ people, onGrants, onChanged }: Props) {
  const { t, lang } = useI18n();
  const { clients } = useDesk();
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
        <ConfirmBar sentence={t('people.offSentence', { name: asking.displayName })} confirmLabel={t('people.off')} busy={call.busy} onConfirm={() => void setActive(asking, false)} onCancel={() => setAsking(null)} testId="person-off" />
      )}
      <table className="list" data-testid="people-table">
        <thead>
          <tr>
            <th>{t('signIn.userName')}</th>
            <th>{t('people.displayName')}</th>
            <th>{t('people.post')}</th>
            <th>{t('people.grants')}</th>
            <th>{t('people.state')}</th>
            <th>
              <span className="sr">{t('action.title')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {people.map((p) => (
            <tr key={p.name} data-testid="person-row" data-user={p.userName}>
              <td className="mono">{p.userName}</td>
              <td>{p.displayName}</td>
              <td>{p.post}</td>
              <td>
                {p.grants.map((g, i) => (
                  <div key={i}>{grantText(g, t, lang)}</div>
                ))}
              </td>
              <td>{p.active ? t('people.active') : t('people.inactive')}</td>
              <td className="row">
                <Button label={t('people.grants')} tone="quiet" testId="person-grants" onClick={() => onGrants(p)} />
                {p.active ? (
                  <Button label={t('people.off')} tone="quiet" testId="person-deactivate" onClick={() => setAsking(p)} />
                ) : (
                  <Button label={t('people.on')} tone="quiet" testId="person-activate" onClick={() => void setActive(p, true)} />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
