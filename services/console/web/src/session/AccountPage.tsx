import { useState } from 'react';
import { session as sessionStore } from '../api/session';
import { useCall } from '../api/useCall';
import { go } from '../app/route';
import { useI18n, type MessageKey } from '../i18n';
import { useKeys } from '../keys/keys';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { fullName } from '../logic/districts';
import { dateTime, ms } from '../logic/time';
import { Button } from '../ui/Button';
import { FormBox } from '../ui/FormBox';
import { TextField } from '../ui/TextField';

/** The own grants, and a new password. */
export function AccountPage() {
  const { t, lang } = useI18n();
  const { clients } = useDesk();
  const call = useCall();
  const person = useStore(sessionStore)?.person;
  const [oldPassword, setOld] = useState('');
  const [newPassword, setNew] = useState('');
  const [done, setDone] = useState(false);
  const [open, setOpen] = useState(false);
  useKeys([
    { key: 'p', label: 'password.change', run: () => setOpen(true) },
    { key: 'Escape', label: 'key.back', run: () => go({ page: 'desk' }) },
  ]);
  const send = async () => {
    setDone(false);
    const answer = await call.run(() => clients.sessions.changePassword({ oldPassword, newPassword }));
    if (!answer) return;
    setOld('');
    setNew('');
    setDone(true);
    setOpen(false);
  };
  return (
    <main className="page" data-testid="account-page">
      <h1>{person?.displayName}</h1>
      <p>{person?.post}</p>
      <ul>
        {person?.grants.map((g, i) => (
          <li key={i}>
            {t(`role.${g.role}` as MessageKey)} · {fullName(g.jurisdiction, lang)}
            <span className="faint num">
              {' '}
              {ms(g.startTime) !== undefined && dateTime(ms(g.startTime) ?? 0)} –{' '}
              {ms(g.endTime) !== undefined && dateTime(ms(g.endTime) ?? 0)}
            </span>
          </li>
        ))}
      </ul>
      {done && <p role="status">✓ {t('password.done')}</p>}
      {!open && <Button label={t('password.change')} hint="p" testId="password-open" onClick={() => setOpen(true)} />}
      {open && (
        <FormBox
          title={t('password.change')}
          call={call}
          sendLabel={t('password.send')}
          onSend={() => void send()}
          onCancel={() => setOpen(false)}
          testId="password"
          {...(newPassword.length < 10 ? { blocked: t('password.short', { n: 10 }) } : {})}
        >
          <TextField
            label={t('password.old')}
            path="old_password"
            type="password"
            value={oldPassword}
            onChange={setOld}
            testId="old-password"
            autoComplete="current-password"
          />
          <TextField
            label={t('password.new')}
            path="new_password"
            type="password"
            value={newPassword}
            onChange={setNew}
            testId="new-password"
            autoComplete="new-password"
          />
        </FormBox>
      )}
    </main>
  );
}
