import type { Incident, Report } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n, type MessageKey } from '../i18n';
import { dateTime, ms } from '../logic/time';
import { Section } from '../ui/Section';

/** Reports that came in, oldest first, with happened, learned and recorded apart. */
export function Reports({ incident }: { incident: Incident }) {
  const { t } = useI18n();
  return (
    <Section title={t('reports.title')} count={incident.reports.length} testId="reports">
      <ul className="entries">
        {incident.reports.map((r) => (
          <ReportRow key={r.name} report={r} />
        ))}
      </ul>
    </Section>
  );
}

function ReportRow({ report }: { report: Report }) {
  const { t } = useI18n();
  const time = (value: number | undefined) => (value === undefined ? t('common.unknown') : dateTime(value));
  const reporter = [report.reporterName, report.reporterOrganisation, report.reporterTelephone].filter(Boolean).join(' · ');
  return (
    <li data-testid="report" data-name={report.name}>
      <p>
        <strong>{t(`origin.${report.origin}` as MessageKey)}</strong> {reporter || t('report.anonymous')}
      </p>
      <p>{report.title}</p>
      {report.description && <p className="told">{report.description}</p>}
      <dl className="times num faint">
        <dt>{t('time.occurred')}</dt>
        <dd>{time(ms(report.occurTime))}</dd>
        <dt>{t('time.learned')}</dt>
        <dd>{time(ms(report.learnTime))}</dd>
        <dt>{t('time.recorded')}</dt>
        <dd>{time(ms(report.recordTime))}</dd>
      </dl>
    </li>
  );
}
