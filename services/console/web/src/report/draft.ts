import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { PlaceSchema, type Place } from '../gen/proto/fenghuo/common/v1/common_pb';
import { ReportOrigin } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import type { SubmitReportRequestSchema } from '../gen/proto/fenghuo/incident/v1/incident_service_pb';
import type { NotificationRecord } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import type { Attempt } from '../api/request';
import { badNumber, draftOfFacts, factsOf, factsReadable, numberIn, type FactsDraft } from '../logic/facts';
import { draftOfSubstance, emptySubstance, substanceOf, substanceReadable, type SubstanceDraft } from '../logic/substances';
import { dateTime, ms, stamp } from '../logic/time';
import { noTime, timeAt, unreadable, type TypedTime } from '../ui/TimeField';

/** A report as it stands in the form. */
export interface ReportDraft {
  origin: number;
  reporterName: string;
  reporterTelephone: string;
  reporterOrganisation: string;
  reportingBody: string;
  bodyLearned: TypedTime;
  learned: TypedTime;
  occurred: TypedTime;
  district: string;
  placeText: string;
  water: string;
  lon: string;
  lat: string;
  title: string;
  description: string;
  substances: SubstanceDraft[];
  facts: FactsDraft;
  /** Name of an incident to attach to, "new" to open one, empty to let the server match. */
  attach: string;
  sourceNotification: string;
  attempt: Attempt | null;
}

export function emptyReport(nowMs: number): ReportDraft {
  return {
    origin: ReportOrigin.HOTLINE,
    reporterName: '',
    reporterTelephone: '',
    reporterOrganisation: '',
    reportingBody: '',
    bodyLearned: noTime,
    learned: timeAt(nowMs),
    occurred: noTime,
    district: '',
    placeText: '',
    water: '',
    lon: '',
    lat: '',
    title: '',
    description: '',
    substances: [emptySubstance()],
    facts: draftOfFacts(),
    attach: '',
    sourceNotification: '',
    attempt: null,
  };
}

/** A report made from what a neighbour wrote. The place is left open: it is for this side to say where it arrives. */
export function reportFromNotification(record: NotificationRecord, partner: string, nowMs: number): ReportDraft {
  const c = record.content;
  const occurred = ms(c?.occurTime);
  return {
    ...emptyReport(nowMs),
    origin: ReportOrigin.NEIGHBOUR,
    reporterOrganisation: partner,
    reporterTelephone: c?.dutyTelephone ?? '',
    reporterName: c?.approvedBy ?? '',
    learned: timeAt(ms(record.createTime) ?? nowMs),
    occurred: occurred === undefined ? noTime : { text: dateTime(occurred), ms: occurred },
    title: c?.subject ?? '',
    description: c?.situation ?? '',
    water: c?.place?.waterBody ?? '',
    substances: c && c.substances.length > 0 ? c.substances.map(draftOfSubstance) : [emptySubstance()],
    sourceNotification: record.name,
  };
}

export const reportReadable = (d: ReportDraft): boolean =>
  factsReadable(d.facts) &&
  d.substances.every(substanceReadable) &&
  ![d.lon, d.lat].some(badNumber) &&
  ![d.learned, d.occurred, d.bodyLearned].some(unreadable);

function placeOf(d: ReportDraft): Place {
  const longitudeDeg = numberIn(d.lon);
  const latitudeDeg = numberIn(d.lat);
  return create(PlaceSchema, {
    adminCode: d.district,
    description: d.placeText.trim(),
    waterBody: d.water.trim(),
    ...(longitudeDeg === undefined ? {} : { longitudeDeg }),
    ...(latitudeDeg === undefined ? {} : { latitudeDeg }),
  });
}

/** The request, without its id. */
export function requestOf(d: ReportDraft): MessageInitShape<typeof SubmitReportRequestSchema> {
  const bureau = d.origin === ReportOrigin.DISTRICT_BUREAU && d.reportingBody !== '';
  const [learnTime, occurTime, reportingBodyLearnTime] = [d.learned, d.occurred, d.bodyLearned].map((t) => stamp(t.ms));
  const source = [d.reporterOrganisation, d.reporterName]
    .map((s) => s.trim())
    .filter(Boolean)
    .join(' ');
  return {
    report: {
      origin: d.origin,
      reporterName: d.reporterName.trim(),
      reporterTelephone: d.reporterTelephone.trim(),
      reporterOrganisation: d.reporterOrganisation.trim(),
      reportingBodyCode: bureau ? d.reportingBody : '',
      ...(bureau && reportingBodyLearnTime ? { reportingBodyLearnTime } : {}),
      ...(learnTime ? { learnTime } : {}),
      ...(occurTime ? { occurTime } : {}),
      title: d.title.trim(),
      description: d.description.trim(),
      place: placeOf(d),
      substances: d.substances.filter((s) => s.name.trim() !== '').map(substanceOf),
      facts: factsOf(d.facts, draftOfFacts(), source, learnTime),
      sourceNotification: d.sourceNotification,
    },
    incident: d.attach === 'new' ? '' : d.attach,
    openNew: d.attach === 'new',
  };
}
