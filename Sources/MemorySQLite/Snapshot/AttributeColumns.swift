import EpisodicMemory
import SQLiteStorage

/// Reads the columns that scopes and filters look at, which row after row mostly repeats.
struct AttributeColumns {
  /// In the order in which `read` takes them.
  static let columns = "e.domain, e.session, e.task_type, e.status, e.created_at"

  private var domain = RepeatedText()
  private var session = RepeatedText()
  private var taskTypeText = RepeatedText()
  private var taskType = TaskType("")
  private var statusText = RepeatedText()
  private var status = Episode.Status.active

  /// - Parameter first: The place of the first of the columns in the row.
  mutating func read(_ row: borrowing RawStatement, from first: Int32) -> EpisodeAttributes {
    let newTaskType = taskTypeText.text(row.bytes(first + 2))
    // By bytes, as the primary compares: Swift calls strings equal that are different names there.
    if !newTaskType.utf8.elementsEqual(taskType.rawValue.utf8) { taskType = TaskType(newTaskType) }
    let newStatus = statusText.text(row.bytes(first + 3))
    if newStatus != status.rawValue { status = Episode.Status(stored: newStatus) }
    return EpisodeAttributes(
      domain: domain.text(row.bytes(first)), session: row.isNull(first + 1) ? nil : session.text(row.bytes(first + 1)),
      taskType: taskType, status: status, createdAt: Timestamp(milliseconds: row.integer(first + 4)))
  }
}
