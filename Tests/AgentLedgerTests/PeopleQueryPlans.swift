@testable import AgentLedger

extension `Query plans of the ledger` {
  static let peopleQueries: [Query] = [
    Query("a person by id", PersonRow.byID, "USING INDEX sqlite_autoindex_people_1 (id=?)"),
    Query("a person by handle", PersonRow.byHandle, "USING INDEX sqlite_autoindex_people_2 (handle=?)"),
    Query("people", PeopleQuery.all, "USING INDEX people_by_creation (created_at<?)"),
    Query("people of a tier", PeopleQuery.byTier, "USING INDEX people_by_tier (tier=? AND created_at<?)"),
    Query("people active since", PeopleQuery.byActivity, "USING INDEX people_by_activity (last_active>?"),
    Query(
      "growth by day", PeopleQuery.addedByDay, "USING COVERING INDEX people_by_creation (created_at>? AND created_at<?)"
    ),
    Query("the next day of growth", PeopleQuery.firstSince, "USING COVERING INDEX people_by_creation (created_at>?)"),
    Query("people before", PeopleQuery.addedBefore, "USING COVERING INDEX people_by_creation (created_at<?)"),
    Query(
      "top people by tasks", PeopleQuery.mostTasks, "USING COVERING INDEX tasks_by_person",
      "SEARCH people USING COVERING INDEX sqlite_autoindex_people_1 (id=?)"),
    Query("whose a token is", LoginRow.owner, "SEARCH logins USING PRIMARY KEY (digest=?)"),
    Query("logins of a person", LoginRow.ofPerson, "USING INDEX logins_by_person (person_id=?)"),
    Query("all logins of a person end", LoginRow.removingOfPerson, "INDEX logins_by_person (person_id=?)"),
    Query("expired logins", LoginRow.removingExpired, "INDEX logins_by_expiry (expires_at<?)"),
  ]

  static let noticeQueries: [Query] = [
    Query("a notice by id", NoticeRow.byID, "USING INDEX sqlite_autoindex_notices_1 (id=?)"),
    Query("history of a person", NoticeRow.ofPerson, "USING INDEX notices_by_person (recipient=?"),
    Query("history of all", NoticeRow.all, "USING INDEX notices_by_creation (created_at<?"),
    Query(
      "room in the rate limit", NoticeSchedule.earlier,
      "USING INDEX notices_by_schedule (recipient=? AND channel=?)"),
    Query("a template", TemplateRow.byName, "SEARCH templates USING PRIMARY KEY (name=?)"),
    Query("templates", TemplateRow.page, "SEARCH templates USING PRIMARY KEY (name>?)"),
  ]

  static let alertQueries: [Query] = [
    Query("a rule", AlertRow.byName, "SEARCH alert_rules USING PRIMARY KEY (name=?)"),
    Query("rules", AlertRow.page, "SEARCH alert_rules USING PRIMARY KEY (name>?)"),
    Query("alerts of a rule", AlertRow.ofRule, "USING INDEX alerts_by_rule (rule=?)"),
    Query(
      "error rate of a window", AlertMeasure.errorRate,
      "USING COVERING INDEX tasks_by_end (completed_at>? AND completed_at<?)"),
    Query(
      "response time of a window", AlertMeasure.responseTime,
      "USING COVERING INDEX tasks_by_end (completed_at>? AND completed_at<?)"),
    Query(
      "usage of a window", AlertMeasure.usage,
      "USING COVERING INDEX tasks_by_status (status=? AND created_at>? AND created_at<?)"),
    Query(
      "errors of a window", AlertMeasure.errors,
      "USING COVERING INDEX events_by_level (level=? AND created_at>? AND created_at<?)"),
    Query("series of a name", AlertMeasure.seriesOfName, "USING COVERING INDEX sqlite_autoindex_series_1 (name=?)"),
    Query(
      "samples of a window", AlertMeasure.samplesOfSeries,
      "SEARCH samples USING PRIMARY KEY (series=? AND at>? AND at<?)"),
  ]
}
