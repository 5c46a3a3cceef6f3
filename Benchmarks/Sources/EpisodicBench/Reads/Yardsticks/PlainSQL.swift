/// The two queries of an episode, in the order of the fields of `PlainEpisode`.
enum PlainSQL {
  static let episode = """
    SELECT id, task_type, domain, session, context, status, success_rate, created_at, completed_at, metadata, \
    embedding_version FROM episodes WHERE id = ?
    """
  static let steps = """
    SELECT id, step_number, action, result, tool, duration_ms, success, timestamp FROM steps WHERE episode_id = ? \
    ORDER BY step_number
    """
}
