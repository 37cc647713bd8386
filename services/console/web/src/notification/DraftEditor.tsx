import { useRef, useState } from 'react';
import { attemptFor, type Attempt } from '../api/request';
import { session } from '../api/session';
import { useCall } from '../api/useCall';
import { useDraft } from '../api/useDraft';
import { PartnerMode, type NotificationRecord } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { NotificationSchema } from '../gen/proto/fenghuo/partner/v1/partner_pb';
import { create } from '@bufbuild/protobuf';
import { useI18n } from '../i18n';
import { useKeys } from '../keys/keys';
import { useDesk } from '../live/context';
import { useStore } from '../live/store';
import { divisionName } from '../logic/districts';
import { Button } from '../ui/Button';
import { ConfirmBar } from '../ui/ConfirmBar';
import { FormProblem, ProblemBox } from '../ui/Problem';
import { draftOfNotification, notificationOf, notificationReadable, type NotificationDraft } from './draft';
import { DraftFields } from './DraftFields';

interface Edit {
  draft: NotificationDraft;
  /** The server's draft when editing began. */
  base: NotificationDraft;
  save: Attempt | null;
  approve: Attempt | null;
}

/** Edits a draft; approves it after a sentence that says what will happen to whom. */
export function DraftEditor({ record }: { record: NotificationRecord }) {
  const { t, lang } = useI18n();
  const { clients, live } = useDesk();
  const call = useCall();
  const box = useRef<HTMLDivElement>(null);
  const [asking, setAsking] = useState<'approve' | 'discard' | null>(null);
  const content = record.content ?? create(NotificationSchema);
  const edit = useDraft<Edit>(`notification|${record.name}`, () => {
    const draft = draftOfNotification(content);
    return { draft, base: draft, save: null, approve: null };
  });
  const v = edit.value;
  const changed = JSON.stringify(v.draft) !== JSON.stringify(v.base);
  const readable = notificationReadable(v.draft);
  const sentence = useSentence(record, lang);

  /** Keeps the edited text on the server; answers the record as it then is. */
  const save = async (): Promise<NotificationRecord | undefined> => {
    if (!changed) return record;
    const body = { name: record.name, etag: '', content: notificationOf(v.draft, content) };
    const attempt = attemptFor(v.save, body);
    const answer = await call.run(() => clients.notifications.updateNotification({ ...body, requestId: attempt.id }));
    if (!answer?.notification) {
      edit.set({ ...v, save: attempt });
      return undefined;
    }
    const draft = draftOfNotification(answer.notification.content ?? content);
    edit.set({ ...v, draft, base: draft, save: null });
    live.notifications.put(answer.notification);
    return answer.notification;
  };

  const approve = async () => {
    const saved = await save();
    if (!saved) return;
    const body = { name: record.name, etag: saved.etag };
    const attempt = attemptFor(v.approve, body);
    const answer = await call.run(() => clients.notifications.approveNotification({ ...body, requestId: attempt.id }));
    setAsking(null);
    if (!answer?.notification) return;
    edit.reset(v);
    live.notifications.put(answer.notification);
  };

  const discard = async () => {
    const body = { name: record.name };
    const attempt = attemptFor(null, body);
    const answer = await call.run(() => clients.notifications.discardNotification({ ...body, requestId: attempt.id }));
    setAsking(null);
    if (!answer?.notification) return;
    edit.reset(v);
    live.notifications.put(answer.notification);
  };

  const ask = (what: 'approve' | 'discard') => readable && !call.busy && setAsking(what);
  useKeys(
    [
      { key: 'Ctrl+Enter', label: 'key.approve', run: () => ask('approve'), whileTyping: true },
      { key: 's', label: 'key.save', run: () => void save() },
    ],
    { within: box },
  );
  return (
    <div ref={box}>
      <FormProblem value={call.problem}>
        <DraftFields value={v.draft} onChange={(draft) => edit.set({ ...v, draft })} />
        <ProblemBox problem={call.problem} />
        {asking === 'approve' && (
          <ConfirmBar
            sentence={sentence}
            confirmLabel={t('approve.send')}
            busy={call.busy}
            onConfirm={() => void approve()}
            onCancel={() => setAsking(null)}
            testId="approve"
          />
        )}
        {asking === 'discard' && (
          <ConfirmBar
            sentence={t('discard.sentence', { partner: divisionName(record.partnerCode, lang) })}
            confirmLabel={t('discard.send')}
            busy={call.busy}
            onConfirm={() => void discard()}
            onCancel={() => setAsking(null)}
            testId="discard"
          />
        )}
        {!asking && (
          <div className="row form-foot">
            <Button
              label={t('approve.ask')}
              hint="Ctrl+Enter"
              tone="main"
              disabled={call.busy || !readable}
              testId="approve"
              onClick={() => ask('approve')}
            />
            <Button
              label={t('approve.save')}
              hint="s"
              disabled={call.busy || !changed || !readable}
              testId="save-draft"
              onClick={() => void save()}
            />
            <Button label={t('approve.discard')} disabled={call.busy} testId="discard" onClick={() => ask('discard')} />
            <span className="faint">{changed ? t('approve.unsaved') : t('approve.saved')}</span>
          </div>
        )}
      </FormProblem>
    </div>
  );
}

/** What approving does, to whom: sent over the link at once, kept until a link is up again, or written as a letter. */
function useSentence(record: NotificationRecord, lang: 'zh' | 'en'): string {
  const { t } = useI18n();
  const { live, space } = useDesk();
  const partner = useStore(live.partners.list).find((p) => p.provinceCode === record.partnerCode);
  const person = session.get()?.person;
  const params = {
    partner: partner?.displayName && lang === 'zh' ? partner.displayName : divisionName(record.partnerCode, lang),
    person: person?.displayName ?? '',
    post: person?.post ?? '',
    telephone: partner?.dutyTelephone ?? '',
  };
  if (partner?.mode === PartnerMode.LETTER) return t('approve.sentenceLetter', params);
  return space === 'real' ? t('approve.sentence', params) : t('approve.sentenceExercise', params);
}
