import { useMemo, useRef, useState } from 'react';
import { attemptFor } from '../api/request';
import { useCall } from '../api/useCall';
import { useDraft } from '../api/useDraft';
import { go } from '../app/route';
import { useI18n } from '../i18n';
import { useKeys } from '../keys/keys';
import { useDesk, useSpaceNow } from '../live/context';
import { useStore } from '../live/store';
import { divisionName } from '../logic/districts';
import { emptySubstance } from '../logic/substances';
import { clockTimeSeconds } from '../logic/time';
import { Button } from '../ui/Button';
import { FormProblem, ProblemBox } from '../ui/Problem';
import { AttachField } from './AttachField';
import { emptyReport, reportFromNotification, reportReadable, requestOf, type ReportDraft } from './draft';
import { FactsFields } from './FactsFields';
import { PlaceFields } from './PlaceFields';
import { SourceFields } from './SourceFields';
import { SubstanceFields } from './SubstanceFields';
import { TextField } from '../ui/TextField';
import { takenNotice } from './taken';

/** Takes a report, in the order of a telephone call. Ctrl+Enter sends from anywhere in it. */
export function ReportForm({ fromNotification }: { fromNotification: string }) {
  const { t, lang } = useI18n();
  const { clients, live, node } = useDesk();
  const now = useSpaceNow();
  const call = useCall();
  const form = useRef<HTMLFormElement>(null);
  const [sent, setSent] = useState(false);
  const record = useStore(live.notifications.list).get(fromNotification);
  const fresh = () =>
    record ? reportFromNotification(record, divisionName(record.partnerCode, lang), live.clock.now()) : emptyReport(live.clock.now());
  const draft = useDraft<ReportDraft>(fromNotification ? `report|${fromNotification}` : 'report', fresh);
  const v = draft.value;
  const set = (change: Partial<ReportDraft>) => draft.set({ ...v, ...change });
  const readable = useMemo(() => reportReadable(v), [v]);
  const problem = call.problem;

  const send = async () => {
    if (call.busy || sent) return;
    if (!readable) {
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
      return;
    }
    const body = requestOf(v);
    const attempt = attemptFor(v.attempt, body);
    set({ attempt });
    const answer = await call.run(() => clients.incidents.submitReport({ ...body, requestId: attempt.id }));
    if (!answer?.incident) {
      // The first wrong field is where the officer goes on.
      setTimeout(() => form.current?.querySelector<HTMLElement>('.field-wrong input,.field-wrong select,.field-wrong textarea')?.focus());
      return;
    }
    setSent(true);
    draft.reset(emptyReport(live.clock.now()));
    live.incidents.put(answer.incident);
    takenNotice.set({ incident: answer.incident.name, opened: answer.opened, zh: answer.matchReasonsZh, en: answer.matchReasonsEn });
    go({ centre: 'map', incident: answer.incident.name, notification: '' });
  };

  useKeys(
    [
      { key: 'Ctrl+Enter', label: 'key.send', run: () => void send(), whileTyping: true },
      { key: 'Escape', label: 'key.back', run: () => go({ centre: 'map', notification: '' }), whileTyping: true },
    ],
    { within: form },
  );

  return (
    <form
      ref={form}
      className="paper report-form"
      aria-label={t('report.take')}
      data-testid="report-form"
      noValidate
      onSubmit={(e) => e.preventDefault()}
    >
      <header className="row spread">
        <h2>{t('report.take')}</h2>
        {draft.restored && (
          <span className="row" data-testid="draft-restored">
            <span className="faint">{t('draft.restored', { time: clockTimeSeconds(draft.savedMs ?? 0) })}</span>
            <Button label={t('draft.fresh')} tone="quiet" testId="draft-fresh" onClick={() => draft.reset(fresh())} />
          </span>
        )}
      </header>
      <FormProblem value={problem}>
        <h3>{t('report.who')}</h3>
        <SourceFields value={v} set={set} nowMs={now} home={node.provinceCode} />
        <h3>{t('report.where')}</h3>
        <PlaceFields value={v} set={set} home={node.provinceCode} />
        <h3>{t('report.what')}</h3>
        <TextField
          label={t('report.title')}
          path="report.title"
          required
          wide
          value={v.title}
          onChange={(title) => set({ title })}
          testId="title"
          placeholder={t('report.titleHow')}
        />
        <TextField
          label={t('report.description')}
          path="report.description"
          rows={3}
          wide
          value={v.description}
          onChange={(description) => set({ description })}
          testId="description"
        />
        <h3>{t('report.pollutants')}</h3>
        <SubstanceFields
          value={v.substances}
          onChange={(substances) => set({ substances })}
          nowMs={now}
          empty={emptySubstance}
          path="report.substances"
        />
        <h3>{t('report.harm')}</h3>
        <FactsFields value={v.facts} onChange={(facts) => set({ facts })} />
        <AttachField value={v.attach} onChange={(attach) => set({ attach })} />
        <footer className="report-foot">
          <ProblemBox problem={problem} />
          <div className="row">
            <Button
              label={call.busy ? t('common.sending') : t('report.send')}
              hint="Ctrl+Enter"
              tone="main"
              disabled={call.busy}
              testId="send-report"
              onClick={() => void send()}
            />
            <Button label={t('report.leave')} hint="Esc" testId="leave-report" onClick={() => go({ centre: 'map', notification: '' })} />
            <span className="faint" data-testid="draft-state">
              {!readable
                ? t('form.unreadable')
                : draft.lost
                  ? t('draft.lost')
                  : draft.savedMs
                    ? t('draft.saved', { time: clockTimeSeconds(draft.savedMs) })
                    : t('draft.nothing')}
            </span>
          </div>
        </footer>
      </FormProblem>
    </form>
  );
}
