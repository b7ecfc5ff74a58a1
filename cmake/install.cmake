# Where things go, and the tests of that and of the demo. Included last, when the targets exist.

foreach(target aliyun_flink_exporter aliyun_flinkctl aliyun_flink_simulator)
  if(TARGET ${target})
    install(TARGETS ${target} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()

# What others load: Prometheus, Alertmanager, Grafana, people. The links between the documents hold.
set(afe_share "${CMAKE_INSTALL_DATADIR}/aliyun_flink_exporter")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/etc/prometheus" DESTINATION "${afe_share}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/etc/grafana" DESTINATION "${afe_share}"
  FILES_MATCHING PATTERN "*.json")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/README.md" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

# Configuration and unit depend on the prefix, and "cmake --install --prefix" gives it only then.
install(CODE "
  set(afe_source_dir [==[${PROJECT_SOURCE_DIR}]==])
  set(afe_bindir [==[${CMAKE_INSTALL_BINDIR}]==])
  set(afe_sysconfdir [==[${CMAKE_INSTALL_SYSCONFDIR}]==])")
install(SCRIPT "${PROJECT_SOURCE_DIR}/cmake/install_etc.cmake")

if(AFE_TESTS)
  find_program(AFE_BASH bash REQUIRED)
  foreach(name install demo)
    add_test(NAME e2e_${name}
      COMMAND "${AFE_BASH}" "${PROJECT_SOURCE_DIR}/tests/support/test_${name}.sh" "${PROJECT_BINARY_DIR}")
    set_tests_properties(e2e_${name} PROPERTIES LABELS e2e TIMEOUT 300)
  endforeach()
endif()
